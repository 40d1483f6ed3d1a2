//! Screens without colours: nothing is told by a colour alone, and no colour is sent.

use ratatui::style::{Color, Modifier};

use super::{
    screens::shots,
    terminal::{ended, start_as},
    *,
};
use crate::tui::theme::{Palette, Tone};

/// What stands on the screen, and how: symbol by symbol.
fn cells(app: &App) -> ratatui::buffer::Buffer {
    let (width, height) = app.model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view(&app.model, frame)).unwrap();
    terminal.backend().buffer().clone()
}

fn mono(width: u16, height: u16) -> App {
    let mut app = App::new(width, height);
    app.model.bare.palette = Palette::Mono;
    app.model.theme.palette = Palette::Mono;
    app
}

#[test]
fn tui_16_without_colours_no_screen_has_one() {
    for (name, prepare) in shots() {
        for size in [(80, 24), (200, 60)] {
            let mut app = mono(size.0, size.1);
            prepare(&mut app);
            let coloured = cells(&app).content.iter().find(|c| (c.fg, c.bg) != (Color::Reset, Color::Reset)).cloned();
            assert_eq!(coloured, None, "{name} at {size:?}");
        }
    }
}

#[test]
fn tui_16_without_colours_the_words_are_the_same() {
    // Lines of graphs are told apart by signs where there are no colours, which another test looks at.
    for (name, prepare) in shots().into_iter().filter(|(name, _)| !name.starts_with("graphs")) {
        let (mut plain, mut coloured) = (mono(120, 40), App::new(120, 40));
        prepare(&mut plain);
        prepare(&mut coloured);
        assert_eq!(plain.screen(), coloured.screen(), "{name}");
    }
}

#[test]
fn tui_16_without_colours_what_matters_has_an_attribute() {
    let theme = Theme { palette: Palette::Mono, ascii: false };
    let of = |tone| theme.style(tone).add_modifier;
    for tone in [Tone::Warn, Tone::Bad, Tone::Head, Tone::Cursor, Tone::Badge, Tone::Alarm, Tone::Dim] {
        assert!(!of(tone).is_empty(), "{tone:?}");
    }
    let all = [Tone::Plain, Tone::Dim, Tone::Warn, Tone::Bad, Tone::Cursor].map(of);
    for (at, one) in all.iter().enumerate() {
        assert!(!all[at + 1..].contains(one), "two of them look alike: {all:?}");
    }
    // On the screen: the cursor's row, a state that is bad, and one that is well.
    let mut app = mono(80, 24);
    app.keys("3jjjj");
    let (buffer, screen) = (cells(&app), app.screen());
    let modifier = |words: &str| {
        let y = screen.lines().position(|l| l.contains(words)).unwrap();
        let line = screen.lines().nth(y).unwrap();
        let x = line[..line.find(words).unwrap()].chars().count();
        buffer[(x as u16, y as u16)].modifier
    };
    assert!(modifier("OOMKilled").contains(Modifier::BOLD | Modifier::UNDERLINED));
    assert!(modifier("Running").is_empty());
    assert!(modifier("▶").contains(Modifier::REVERSED));
    assert!(modifier(" ATTACHED ").contains(Modifier::REVERSED));
}

/// The parameters of every SGR sequence that choose a colour; 39 and 49 choose none.
fn colours(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut found = Vec::new();
    for piece in text.split("\x1b[").skip(1) {
        let end = piece.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(piece.len());
        if piece[end..].starts_with('m') {
            let colour = |n: &u32| matches!(n, 30..=38 | 40..=48 | 90..=107);
            let numbers: Vec<u32> = piece[..end].split(';').filter_map(|n| n.parse().ok()).collect();
            found.extend(numbers.iter().any(colour).then(|| piece[..end].to_owned()));
        }
    }
    found
}

#[test]
fn tui_16_no_color_sends_no_colour_and_the_same_screens() {
    let mut screens = Vec::new();
    for (variables, wanted) in [(&[("NO_COLOR", "1")][..], false), (&[], true)] {
        let mut pty = start_as("1", variables);
        pty.until("cart-redis-0");
        pty.keys("3");
        pty.until("STATE");
        pty.until("Exited 0");
        (0..20).for_each(|_| pty.read());
        screens.push(pty.screen().lines().skip(3).take(10).collect::<Vec<_>>().join("\n"));
        for (key, shown) in [("1", "Machine"), ("4", "KEEP"), ("?", "Keys")] {
            pty.keys(key);
            pty.until(shown);
        }
        pty.keys("\x1b");
        pty.until("KEEP");
        pty.keys("q");
        assert!(ended(&mut pty.child, Duration::from_secs(10)).success());
        pty.read();
        let sent = colours(&pty.bytes);
        assert_eq!(!sent.is_empty(), wanted, "{variables:?}: {sent:?}");
        assert!(String::from_utf8_lossy(&pty.bytes).contains("\x1b[7m") || wanted, "the cursor is reversed");
    }
    assert_eq!(screens[0], screens[1]);
}
