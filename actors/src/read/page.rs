//! Pages of a room: where they begin and end, their events, and what was said about their messages later.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::record::{Annotation, HistoryRow};
use schema::wire::Format;
use schema::{ErrorCode, Event, EventBody, RoomId, UserId, limits, rest};
use store::{Range, RecordsExt};

use super::{Reader, View};
use crate::error::{Refused, code_of};
use crate::outlet::EncodedPage;

/// Which page; at most one of `before`, `after`, `around`, `at`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageQuery {
    pub room: RoomId,
    pub before: Option<u64>,
    pub after: Option<u64>,
    pub around: Option<u64>,
    /// Milliseconds since 1970: the page around the first event at or after it.
    pub at: Option<u64>,
    pub limit: Option<u16>,
}

impl Reader {
    /// Errors: `not_found` to those who may not read it or name no room, `bad_request` for the limit or more than one place.
    pub async fn page(&self, user: UserId, query: PageQuery) -> Result<Arc<rest::Page>, Refused> {
        let view = self.view(query.room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?;
        self.page_of(&view, user, query).await
    }

    /// The same of a room that one has a view of.
    pub async fn page_of(&self, view: &View, user: UserId, query: PageQuery) -> Result<Arc<rest::Page>, Refused> {
        let room = query.room;
        let span = self.span_for(view, user, query).await?;
        Ok(self.kept.page(room, view, span, self.read_page(room, view, span)).await.map_err(code_of)?)
    }

    /// The same as bytes.
    pub async fn encoded_page_of(&self, view: &View, user: UserId, query: PageQuery, format: Format) -> Result<EncodedPage, Refused> {
        let room = query.room;
        let span = self.span_for(view, user, query).await?;
        Ok(self.kept.encoded(room, view, span, format, self.read_page(room, view, span)).await.map_err(code_of)?)
    }

    /// The same if nothing has to be read or made for it: `None` says only that it is to be asked for.
    pub fn page_at_hand(&self, view: &View, user: UserId, query: PageQuery, format: Format) -> Option<EncodedPage> {
        let span = span(view, query).ok()??;
        self.kept.at_hand(query.room, view, user, span, format)
    }

    /// Which events this one gets. Errors: `not_found` if they may read none.
    async fn span_for(&self, view: &View, user: UserId, query: PageQuery) -> Result<Span, Refused> {
        let room = query.room;
        let role = self.kept.right(room, view, user, self.role(room, user)).await.map_err(code_of)?;
        if role.is_none() {
            return Err(ErrorCode::NotFound.into());
        }
        match (span(view, query)?, query.at) {
            (Some(span), _) => Ok(span),
            (None, at) => {
                let middle = self.first_at(room, view.head, at.unwrap_or(0)).await.map_err(code_of)?;
                let query = PageQuery { around: Some(middle), at: None, ..query };
                Ok(span(view, query)?.expect("a page around an event needs nothing else"))
            }
        }
    }

    /// The page of at most `limit` events after `after`, whoever asks. `None`: there is no such room.
    pub async fn page_after(&self, room: RoomId, after: u64, limit: u64) -> Result<Option<rest::Page>, store::Error> {
        let Some(view) = self.view(room).await? else { return Ok(None) };
        let from = after.saturating_add(1);
        let span = Span { from, to: after.saturating_add(limit).min(view.head), focus: from };
        self.read_page(room, &view, span).await.map(Some)
    }

    /// The first event at or after a time: times rise with seqs, so a binary search finds it.
    async fn first_at(&self, room: RoomId, head: u64, at: u64) -> Result<u64, store::Error> {
        let (mut low, mut high) = (1, head);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.events(room, middle, middle).await?.first() {
                Some(event) if said_at(event) < at => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    async fn read_page(&self, room: RoomId, view: &View, Span { from, to, focus }: Span) -> Result<rest::Page, store::Error> {
        let mut page = rest::Page { room, from, to, head: view.head, ordinal: view.ordinal, events: Vec::new(), marks: Vec::new() };
        if from > to {
            return Ok(page);
        }
        let tail = self.tail(room).await?;
        let events = self.events(room, from, to).await?;
        let events = fitting(&events, focus);
        page.from = events.first().map_or(from, |e| e.seq);
        page.to = events.last().map_or(from - 1, |e| e.seq);
        page.marks = self.marks(room, page.from, page.to, &tail).await?;
        page.events = events.iter().map(|event| (**event).clone()).collect();
        Ok(page)
    }

    /// The last word on each message in `from..=to` of everything said after `to`.
    pub(super) async fn marks(&self, room: RoomId, from: u64, to: u64, tail: &[Arc<Event>]) -> Result<Vec<Event>, store::Error> {
        let mut last = BTreeMap::new();
        let mut next = from;
        while next <= to {
            let end = to.min((HistoryRow::bucket(next) + 1) * limits::HISTORY_BUCKET);
            let range = Range::all(Annotation::partition(room, next), MARKS_MAX)
                .from(next.to_be_bytes().to_vec())
                .to((end + 1).to_be_bytes().to_vec());
            for (Annotation(event), _) in self.records.list::<Annotation>(range).await? {
                keep_last(&mut last, event);
            }
            next = end + 1;
        }
        for event in tail.iter().filter(|e| e.body.target().is_some_and(|target| (from..=to).contains(&target))) {
            keep_last(&mut last, (**event).clone());
        }
        let deleted: Vec<u64> =
            last.values().filter(|e| matches!(e.body, EventBody::Delete { .. })).filter_map(|e| e.body.target()).collect();
        let mut marks: Vec<Event> = last
            .into_values()
            .filter(|e| e.seq > to)
            .filter(|e| matches!(e.body, EventBody::Delete { .. }) || e.body.target().is_none_or(|t| !deleted.contains(&t)))
            .collect();
        marks.sort_by_key(|e| e.seq);
        Ok(marks)
    }
}

/// `None`: that of a time has to be looked up.
fn span(view: &View, query: PageQuery) -> Result<Option<Span>, Refused> {
    let limit = query.limit.map_or(limits::PAGE_DEFAULT, usize::from);
    if limit == 0 || limit > limits::PAGE_MAX {
        return Err(Refused::bad("field `limit`: a page has 1 to `page_max` events"));
    }
    let limit = limit as u64;
    let ending = |to: u64| Span { from: to.saturating_sub(limit - 1).max(1), to, focus: to };
    let around = |middle: u64| Span { focus: middle, ..ending((middle + limit / 2).min(view.head)) };
    match (query.before, query.after, query.around, query.at) {
        (None, None, None, None) => Ok(Some(ending(view.head))),
        (Some(before), None, None, None) => Ok(Some(ending(before.saturating_sub(1).min(view.head)))),
        (None, Some(after), None, None) => {
            let from = after.saturating_add(1);
            Ok(Some(Span { from, to: after.saturating_add(limit).min(view.head), focus: from }))
        }
        (None, None, Some(middle), None) => Ok(Some(around(middle.clamp(1, view.head)))),
        (None, None, None, Some(_)) => Ok(None),
        _ => Err(Refused::bad("fields `before`, `after`, `around`, `at`: a page takes one of them at most")),
    }
}

/// Which events, and which of them matters most if not all fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Span {
    from: u64,
    to: u64,
    focus: u64,
}

/// Bytes of a page's events; what is farther from the focus is left for another page.
const PAGE_BYTES_MAX: usize = 512 * 1024;

fn fitting(mut events: &[Arc<Event>], focus: u64) -> &[Arc<Event>] {
    let mut bytes: usize = events.iter().map(|event| crate::slot::weight(event)).sum();
    while let [first, .., last] = events
        && bytes > PAGE_BYTES_MAX
    {
        let cut_last = last.seq.abs_diff(focus) > first.seq.abs_diff(focus);
        bytes -= crate::slot::weight(if cut_last { last } else { first });
        events = if cut_last { &events[..events.len() - 1] } else { &events[1..] };
    }
    events
}

/// Annotations of one page; more, and the page's reactions are not complete.
const MARKS_MAX: usize = 20_000;

fn keep_last(last: &mut BTreeMap<(u64, u8, UserId, String), Event>, event: Event) {
    let (kind, user, emoji) = match &event.body {
        EventBody::React { emoji, .. } => (b'r', event.user, emoji.clone()),
        EventBody::Edit { .. } => (b'e', UserId::default(), String::new()),
        EventBody::Delete { .. } => (b'd', UserId::default(), String::new()),
        _ => (b'p', UserId::default(), String::new()),
    };
    let key = (event.body.target().unwrap_or(0), kind, user, emoji);
    if last.get(&key).is_none_or(|known| known.seq <= event.seq) {
        last.insert(key, event);
    }
}

/// When an event was said: imported messages say it themselves.
fn said_at(event: &Event) -> u64 {
    match &event.body {
        EventBody::Message(message) => message.origin.as_ref().map_or(event.at, |origin| origin.at),
        _ => event.at,
    }
}
