//! What many ask for, kept in memory: pages of a room, the same encoded, and who may read it.
//!
//! Everything is kept of a room *at one head*, and what a room holds at a head never changes: nothing here can be stale, and
//! nothing has to be told to go. With the next event a room asks under another key; the old ones leave when others need the
//! place. Many who ask for the same at once wait for one read.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use schema::wire::Format;
use schema::{Role, RoomId, UserId, rest};

use super::View;
use super::page::Span;
use crate::metrics::metrics;
use crate::outlet::EncodedPage;

/// Of a page: which room, at which head, from where to where, and what matters most in it.
type PageKey = (RoomId, u64, Span);
type RightKey = (RoomId, u64, UserId);

/// Rights that are kept: 48 bytes each, and their places.
const RIGHTS_MAX: usize = 50_000;
/// As large as a page may be, each part of the cache holds some.
const PAGES_EXPECTED: usize = 1_024;

pub struct Kept {
    pages: Cache<PageKey, Arc<rest::Page>, PageBytes>,
    encoded: Cache<(PageKey, Format), EncodedPage, PageBytes>,
    rights: Cache<RightKey, Option<Role>>,
}

impl Kept {
    /// Half of the bytes are for events, half for what they are encoded to.
    pub fn new(pages_bytes_max: usize) -> Self {
        let half = pages_bytes_max as u64 / 2;
        Self {
            pages: Cache::with_weighter(PAGES_EXPECTED, half, PageBytes),
            encoded: Cache::with_weighter(PAGES_EXPECTED, half, PageBytes),
            rights: Cache::new(RIGHTS_MAX),
        }
    }

    /// The page of the room as of this view. Read by `read` unless it is here, or somebody is reading it.
    pub async fn page<E>(
        &self,
        room: RoomId,
        view: &View,
        span: Span,
        read: impl Future<Output = Result<rest::Page, E>>,
    ) -> Result<Arc<rest::Page>, E> {
        let counted = async {
            metrics().pages_read.increment(1);
            read.await.map(Arc::new)
        };
        self.pages.get_or_insert_async(&(room, view.head, span), counted).await
    }

    /// The same as bytes: those of one format are made once.
    pub async fn encoded<E>(
        &self,
        room: RoomId,
        view: &View,
        span: Span,
        format: Format,
        read: impl Future<Output = Result<rest::Page, E>>,
    ) -> Result<EncodedPage, E> {
        let encode = async {
            let page = self.page(room, view, span, read).await?;
            Ok(EncodedPage { room, to: page.to, head: page.head, format, bytes: format.encode(&*page) })
        };
        self.encoded.get_or_insert_async(&((room, view.head, span), format), encode).await
    }

    /// The bytes for this reader, if they are here and it is known that the user may read them. `None` says nothing of either.
    pub fn at_hand(&self, room: RoomId, view: &View, user: UserId, span: Span, format: Format) -> Option<EncodedPage> {
        self.rights.get(&(room, view.head, user))??;
        self.encoded.get(&((room, view.head, span), format))
    }

    /// The same for the role of somebody, who may have none.
    pub async fn right<E>(
        &self,
        room: RoomId,
        view: &View,
        user: UserId,
        read: impl Future<Output = Result<Option<Role>, E>>,
    ) -> Result<Option<Role>, E> {
        self.rights.get_or_insert_async(&(room, view.head, user), read).await
    }

    /// Bytes of the pages that are here.
    pub fn page_bytes(&self) -> u64 {
        self.pages.weight() + self.encoded.weight()
    }
}

#[derive(Clone)]
struct PageBytes;

impl Weighter<PageKey, Arc<rest::Page>> for PageBytes {
    fn weight(&self, _: &PageKey, page: &Arc<rest::Page>) -> u64 {
        let events = page.events.iter().chain(&page.marks);
        events.map(|event| crate::slot::weight(event) as u64).sum::<u64>() + size_of::<rest::Page>() as u64
    }
}

impl Weighter<(PageKey, Format), EncodedPage> for PageBytes {
    fn weight(&self, _: &(PageKey, Format), page: &EncodedPage) -> u64 {
        (page.bytes.len() + size_of::<(PageKey, EncodedPage)>()) as u64
    }
}
