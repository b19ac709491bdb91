//! The picture on a terminal of any size; 80 x 24 shows all nine exchanges.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Row, Table};

use super::keys::View;
use super::picture::{Feed, Picture};
use super::plain::{COLUMNS, cells, stage, summary, troubles};

const HELP: &str = "e s f l d u  sort by exchange, state, frames, lag, dead letters, unverified books
/            type a filter (exchange, kind or state); Enter keeps it
Esc          no filter
h            this help
q            quit";

/// Draws the last picture, if there was one, and since when there has been none.
pub fn draw(frame: &mut Frame<'_>, picture: Option<&Picture>, silence: Option<&str>, view: &View) {
    let none = Picture::default();
    let picture = picture.unwrap_or(&none);
    let feeds = view.chosen(&picture.feeds);
    let stages = u16::try_from(picture.latencies.len()).unwrap_or(4).min(4) + 1;
    let rows = u16::try_from(feeds.len()).unwrap_or(u16::MAX).saturating_add(1);
    let areas = Layout::vertical([Constraint::Length(1), Constraint::Length(rows), Constraint::Length(stages), Constraint::Min(0), Constraint::Length(1)]);
    let [top, middle, latency, rest, bottom] = areas.areas(frame.area());

    let (text, style) = match silence {
        Some(silence) => (silence.to_owned(), Style::new().fg(Color::White).bg(Color::Red)),
        None if picture.ready => (summary(picture), Style::new().fg(Color::Black).bg(Color::Green)),
        None => (summary(picture), Style::new().fg(Color::White).bg(Color::Red)),
    };
    frame.render_widget(Paragraph::new(text).style(style), top);
    table(frame, middle, &feeds);
    stages_of(frame, latency, picture);
    frame.render_widget(Paragraph::new(notes(picture)), rest);
    frame.render_widget(Paragraph::new(status_line(view, feeds.len(), picture.feeds.len())).style(Style::new().add_modifier(Modifier::REVERSED)), bottom);
    if view.is_helping {
        help(frame);
    }
}

const fn widths() -> [Constraint; 9] {
    let wide = Constraint::Length;
    [wide(8), wide(9), wide(5), wide(9), wide(8), wide(7), wide(10), wide(7), wide(9)]
}

fn table(frame: &mut Frame<'_>, area: Rect, feeds: &[&Feed]) {
    let row = |feed: &&Feed| {
        let [exchange, kind, state, rest @ ..] = cells(feed);
        let numbers = rest.into_iter().map(|cell| Line::from(clean(&cell)).right_aligned());
        let first = [Line::from(clean(&exchange)), Line::from(clean(&kind)), Line::from(Span::styled(clean(&state), color(&feed.state)))];
        Row::new(first.into_iter().chain(numbers))
    };
    let head = COLUMNS.iter().enumerate().map(|(index, name)| if index < 3 { Line::from(*name) } else { Line::from(*name).right_aligned() });
    let table = Table::new(feeds.iter().map(row), widths()).header(Row::new(head).style(Style::new().add_modifier(Modifier::BOLD))).column_spacing(1);
    frame.render_widget(table, area);
}

fn stages_of(frame: &mut Frame<'_>, area: Rect, picture: &Picture) {
    let wide = Constraint::Length;
    let row = |cells: [String; 4]| {
        let [name, rest @ ..] = cells;
        Row::new(std::iter::once(Line::from(clean(&name))).chain(rest.into_iter().map(|cell| Line::from(cell).right_aligned())))
    };
    let head = row(["latency, last 10 s", "p50", "p99", "p99.9"].map(str::to_owned)).style(Style::new().add_modifier(Modifier::BOLD));
    let table = Table::new(picture.latencies.iter().map(|latency| row(stage(latency))), [wide(24), wide(10), wide(10), wide(10)]).header(head);
    frame.render_widget(table, area);
}

/// Lanes that do not work, then the last dead letters.
fn notes(picture: &Picture) -> Vec<Line<'static>> {
    let troubles = troubles(picture).into_iter().map(|trouble| Line::styled(clean(&trouble), Style::new().fg(Color::Red)));
    let letters = picture.dead_letters.iter().map(|letter| {
        let frame = letter.frame.map_or_else(String::new, |frame| format!(", frame {frame}"));
        Line::from(clean(&format!("dead letter {} offset {}{frame} {}: {}", letter.lane, letter.offset, letter.reason, letter.value)))
    });
    troubles.chain(letters).collect()
}

fn status_line(view: &View, shown: usize, of: usize) -> String {
    match () {
        () if view.is_typing => format!("filter: {}_", view.filter),
        () if view.filter.is_empty() => format!("sorted by {}   e s f l d u sort   / filter   h help   q quit", view.sort.name()),
        () => format!("sorted by {}   {shown} of {of} with \"{}\"   Esc all   h help   q quit", view.sort.name(), view.filter),
    }
}

fn help(frame: &mut Frame<'_>) {
    let area = frame.area();
    let (width, height) = (area.width.min(78), area.height.min(7));
    let box_at = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, box_at);
    frame.render_widget(Paragraph::new(HELP).block(Block::bordered().title("keys")), box_at);
}

/// The colour of a state; its word says the same.
fn color(state: &str) -> Style {
    Style::new().fg(match state {
        "OK" => Color::Green,
        "WARN" | "STALE" | "START" => Color::Yellow,
        _ => Color::Red,
    })
}

/// Text of others, without what would act on a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}
