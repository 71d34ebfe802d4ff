//! The folder in which everything of earlier starts lies, and whether it fits what is asked for now. Starts nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

#[derive(Clone)]
pub struct Home(PathBuf);

impl Home {
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
    /// Of one node with its store inside, or of the store process.
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
    /// Of one of the nodes on a store process; the first is 1.
    pub fn node(&self, number: u16) -> PathBuf {
        self.0.join(format!("node-{number}"))
    }

    /// How many nodes on a store process are a group from earlier starts.
    pub fn joined(&self) -> u16 {
        (1..).take_while(|number| self.is_joined(*number)).last().unwrap_or(0)
    }
    /// Its certificate is what a node is given last when it is let in.
    fn is_joined(&self, number: u16) -> bool {
        self.node(number).join("data/cluster/node.pem").exists()
    }

    /// Of a node that its group has removed: the next one begins in its place.
    pub fn forget(&self, number: u16) -> Result<()> {
        let folder = self.node(number).join("data/cluster");
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot drop {}", folder.display()))
    }

    fn stage_file(&self) -> PathBuf {
        self.0.join("demo")
    }
    /// A demo that was cut off is made anew, on new data.
    fn is_cut_off(&self) -> bool {
        std::fs::read_to_string(self.stage_file()).is_ok_and(|stage| stage == "begun")
    }
    pub fn has_people(&self) -> bool {
        self.stage_file().exists()
    }
    pub fn keep_people(&self) -> Result<()> {
        Ok(std::fs::write(self.stage_file(), "done")?)
    }

    /// More nodes than before may join; with fewer, nobody may be left who decides.
    pub fn ensure_fits(&self, nodes: u16, fresh: bool) -> Result<()> {
        let joined = self.joined();
        ensure!(
            fresh || self.is_cut_off() || joined <= nodes.max(1),
            "the data in {} are of {joined} nodes, which need each other: start with `--nodes {joined}` or more, or drop the data with `--fresh`",
            self.0.display()
        );
        Ok(())
    }

    /// Whether the demo is to be played: on data that is new, and on data whose demo was cut off, which is dropped.
    pub fn prepare(&self, fresh: bool) -> Result<bool> {
        let home = &self.0;
        if (fresh || self.is_cut_off()) && home.exists() {
            std::fs::remove_dir_all(home)
                .with_context(|| format!("cannot drop {}: is another node still running on it?", home.display()))?;
        }
        let first = !self.data().exists();
        std::fs::create_dir_all(self.data())?;
        if first {
            std::fs::write(self.stage_file(), "begun")?;
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_before_have_to_be_among_those_of_now() {
        let home = Home(std::env::temp_dir().join(format!("hubbub-up-home-{}", std::process::id())));
        for number in 1..=3 {
            std::fs::create_dir_all(home.node(number).join("data/cluster")).unwrap();
            std::fs::write(home.node(number).join("data/cluster/node.pem"), "").unwrap();
        }
        assert_eq!(home.joined(), 3);
        let refused = home.ensure_fits(1, false).unwrap_err().to_string();
        assert!(refused.contains("`--nodes 3` or more"), "{refused}");
        assert!(home.ensure_fits(3, false).is_ok() && home.ensure_fits(4, false).is_ok() && home.ensure_fits(1, true).is_ok());
        std::fs::remove_dir_all(home.path()).unwrap();
    }
}
