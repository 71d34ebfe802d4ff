//! Pure. The board as a screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, LineGauge, Paragraph, Row, Sparkline, Table, Wrap};

use super::board::{Board, Stage};
use super::lines::fault_line;
use crate::report::judge::{CPU_PERCENT_MAX, LAG_US_MAX};
use crate::report::screen::ms;

const SHOWN: [&str; 6] = ["deliver", "post", "replay", "resume", "page", "connect"];

pub fn draw(frame: &mut Frame<'_>, board: &Board, is_stopping: bool) {
    let rows = [
        Constraint::Length(2),
        Constraint::Length(8),
        Constraint::Length(5),
        Constraint::Length(7),
        Constraint::Min(0),
        Constraint::Length(1),
    ];
    let [head, times, spark, states, faults, foot] = Layout::vertical(rows).areas(frame.area());
    draw_head(frame, head, board, is_stopping);
    draw_times(frame, times, board);
    draw_spark(frame, spark, board);
    let [rate, nodes, checker] = Layout::horizontal([Constraint::Ratio(1, 3); 3]).areas(states);
    draw_rate(frame, rate, board);
    draw_nodes(frame, nodes, board);
    draw_checker(frame, checker, board);
    draw_faults(frame, faults, board);
    let said = if is_stopping {
        "ending in good order; q or Ctrl-C again gives up without a report"
    } else {
        "q or Ctrl-C ends it; the report is written all the same"
    };
    frame.render_widget(Paragraph::new(said).style(Style::new().add_modifier(Modifier::DIM)), foot);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, board: &Board, is_stopping: bool) {
    let [title, gauge] = Layout::vertical([Constraint::Length(1); 2]).areas(area);
    let stage = match &board.stage {
        Stage::Preparing { what, done, all } => format!("{what}: {done} of {all}"),
        Stage::Running => {
            let (phase, place, all) = board.phase();
            let at_s = board.now().map_or(0.0, |moment| moment.at_s);
            format!("phase {phase}, {place} of {all} · {at_s:.0} of {:.0} s", board.lasts_s())
        }
        Stage::Converging => "waiting until everything has arrived, and auditing".to_owned(),
        Stage::Auditing => "judging the history".to_owned(),
    };
    let mut line = vec![Span::styled(board.name().to_owned(), Style::new().add_modifier(Modifier::BOLD)), Span::raw(format!(" · {stage}"))];
    if is_stopping {
        line.push(Span::styled(" · ending", Style::new().fg(Color::Yellow)));
    }
    frame.render_widget(Paragraph::new(Line::from(line)), title);
    frame.render_widget(LineGauge::default().ratio(board.progress()).filled_style(Style::new().fg(Color::Cyan)), gauge);
}

fn draw_times(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let beats = board.now().map(|moment| &moment.actions);
    let rows = SHOWN.iter().filter_map(|name| {
        let beat = beats?.get(*name)?;
        let cells = [(*name).to_owned(), beat.count.to_string(), ms(beat.p50_us), ms(beat.p99_us), ms(beat.max_us)];
        Some(Row::new(cells))
    });
    let head = Row::new(["", "a second", "p50 ms", "p99 ms", "max ms"]).style(Style::new().add_modifier(Modifier::DIM));
    let widths = [Constraint::Length(10), Constraint::Length(10), Constraint::Length(10), Constraint::Length(10), Constraint::Length(10)];
    let table = Table::new(rows, widths).header(head).block(Block::bordered().title(" the last second, from when it was intended "));
    frame.render_widget(table, area);
}

fn draw_spark(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let p99 = |name: &str| board.moments.iter().map(|moment| moment.actions.get(name).map_or(0, |beat| beat.p99_us)).collect::<Vec<_>>();
    let wide = usize::from(area.width.saturating_sub(2));
    let values = p99("deliver");
    let shown = &values[values.len().saturating_sub(wide)..];
    let most = shown.iter().copied().max().unwrap_or(0);
    let title = format!(" delivery p99, each second; the bar's top is {} ms ", ms(most));
    let spark = Sparkline::default().data(shown.iter().copied()).style(Style::new().fg(Color::Cyan));
    frame.render_widget(spark.block(Block::bordered().title(title)), area);
}

fn draw_rate(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let Some(now) = board.now() else { return frame.render_widget(Block::bordered().title(" load "), area) };
    let (is_late, is_busy) = (now.lag_p99_us > LAG_US_MAX, now.generator_cpu_percent > CPU_PERCENT_MAX);
    let warn = |is_bad: bool| if is_bad { Style::new().fg(Color::Yellow) } else { Style::new() };
    let lines = vec![
        Line::raw(format!("intended {:.0}/s, sent {}/s", board.intended, board.begun)),
        Line::raw(format!("in flight {}", now.unanswered)),
        Line::raw(format!("connections {}", now.connections)),
        Line::styled(format!("own lag p99 {} ms", ms(now.lag_p99_us)), warn(is_late)),
        Line::styled(format!("own processor {:.0} %", now.generator_cpu_percent), warn(is_busy)),
    ];
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" load ")), area);
}

fn draw_nodes(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let nodes = board.now().map(|moment| moment.nodes.as_slice()).unwrap_or_default();
    let line = |(place, node): (usize, &crate::report::NodeMoment)| {
        Line::raw(format!("{}: {:.0} %, {} MiB", place + 1, node.cpu_percent, node.memory_bytes >> 20))
    };
    let lines: Vec<_> = nodes.iter().enumerate().map(line).collect();
    let lines = if lines.is_empty() && board.now().is_some() { vec![Line::raw("not on this machine")] } else { lines };
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" nodes ")), area);
}

fn draw_checker(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let broken = board.now().map_or(0, |moment| moment.offences);
    let first = match broken {
        0 => Line::styled("nothing broken so far", Style::new().fg(Color::Green)),
        broken => Line::styled(format!("BROKEN PROMISES: {broken}"), Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)),
    };
    let more = board.refusals.iter().map(|(name, (refused, put_off))| Line::raw(format!("{name}: {refused} refused, {put_off} put off")));
    let lines: Vec<_> = [first].into_iter().chain(more).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" checker and errors ")), area);
}

fn draw_faults(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    if let (Stage::Preparing { .. }, Some(wanted)) = (&board.stage, &board.wanted) {
        let said = Paragraph::new(wanted.as_str()).wrap(Wrap { trim: true }).style(Style::new().fg(Color::Yellow));
        return frame.render_widget(said.block(Block::bordered().title(" to be done by hand ")), area);
    }
    let room = usize::from(area.height.saturating_sub(2));
    let lines: Vec<_> = board.faults.iter().rev().take(room).map(|fault| Line::raw(fault_line(fault))).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" faults, the latest first ")), area);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::measure::{Deed, Tally};
    use crate::report::{Fault, Moment, NodeMoment};
    use crate::run::News;
    use crate::scenario::built_in;

    fn screen(board: &Board, wide: u16, high: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(wide, high)).unwrap();
        terminal.draw(|frame| draw(frame, board, false)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_screen_says_what_is_going_on() {
        let mut board = Board::of(&built_in("quick").unwrap());
        board.hear(News::Preparing { what: "signing up", done: 3, all: 200 });
        assert!(screen(&board, 80, 30).contains("signing up: 3 of 200"));
        board.hear(News::Wanted("start a worker there".to_owned()));
        assert!(screen(&board, 80, 30).contains("start a worker there"));
        board.hear(News::Begun { lasts_s: 47.0 });
        let mut tally = Tally::default();
        (0..50).for_each(|_| tally.begun(Deed::Post));
        (1..=100).for_each(|n| tally.done(Deed::Deliver, n * 1_000, n));
        let nodes = vec![NodeMoment { cpu_percent: 42.0, memory_bytes: 64 << 20 }];
        let moment = Moment {
            at_s: 7.0,
            actions: tally.beats().collect(),
            connections: 200,
            unanswered: 9,
            offences: 2,
            nodes,
            ..Moment::default()
        };
        board.hear(News::Second(Box::new((moment, tally))));
        board.hear(News::Fault(Fault { name: "cut".into(), at_s: 6.5, ..Fault::default() }));
        let shown = screen(&board, 80, 30);
        for text in [
            "phase ",
            "7 of 47 s",
            "deliver",
            "99.",
            "sent 50/s",
            "in flight 9",
            "connections 200",
            "1: 42 %, 64 MiB",
            "BROKEN PROMISES: 2",
            "fault at 6.50 s: cut",
            "q or Ctrl-C",
        ] {
            assert!(shown.contains(text), "no {text} in\n{shown}");
        }
    }

    #[test]
    fn no_size_of_terminal_is_too_small_to_draw_on() {
        let board = Board::of(&built_in("quick").unwrap());
        for (wide, high) in [(1, 1), (10, 5), (40, 12), (300, 100)] {
            screen(&board, wide, high);
        }
    }
}
