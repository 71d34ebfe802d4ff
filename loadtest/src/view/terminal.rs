//! A terminal that the board is drawn on, and its keys: q and Ctrl-C. The terminal is as it was when this is dropped, also
//! after a panic.

use std::io::{self, Stderr, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

use super::board::Board;
use super::draw::draw;
use crate::run::{News, Stop};

/// Between two pictures.
const EVERY: Duration = Duration::from_millis(200);

pub struct Live {
    board: Arc<Mutex<Board>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Errors: the terminal cannot be drawn on.
    pub fn open(board: Board, stop: Stop) -> io::Result<Self> {
        enable_raw_mode()?;
        let terminal = enter().inspect_err(|_| restore())?;
        let (board, is_over) = (Arc::new(Mutex::new(board)), Arc::new(AtomicBool::new(false)));
        let (shown, end) = (Arc::clone(&board), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || watch(terminal, &shown, &stop, &end));
        Ok(Self { board, is_over, thread: Some(thread) })
    }

    pub fn tell(&self, news: News) {
        if let Ok(mut board) = self.board.lock() {
            board.hear(news);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        restore();
    }
}

fn enter() -> io::Result<Terminal<CrosstermBackend<Stderr>>> {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        before(panic);
    }));
    execute!(stderr(), EnterAlternateScreen, Hide)?;
    Terminal::new(CrosstermBackend::new(stderr()))
}

fn restore() {
    // A terminal that is gone needs nothing.
    disable_raw_mode().ok();
    execute!(stderr(), LeaveAlternateScreen, Show).ok();
}

fn watch(mut terminal: Terminal<CrosstermBackend<Stderr>>, board: &Mutex<Board>, stop: &Stop, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        let drawn = match board.lock() {
            Ok(board) => terminal.draw(|frame| draw(frame, &board, stop.is_wanted())).is_ok(),
            Err(_) => false,
        };
        // A terminal that went away ends the pictures, not the run.
        if !drawn {
            return;
        }
        match event::poll(EVERY).and_then(|is_there| if is_there { event::read().map(Some) } else { Ok(None) }) {
            Ok(Some(Event::Key(key))) if is_end(key) => stop.now(),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn is_end(key: KeyEvent) -> bool {
    let is_control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press && (key.code == KeyCode::Char('q') || is_control_c)
}
