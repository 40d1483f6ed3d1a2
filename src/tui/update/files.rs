//! Copies of files between this machine and a container: asked for in the input line, told of on the message line.

use super::logs;
use crate::tui::{
    copying::{Copied, Copying, MOST, Running},
    event::{Effect, Token},
    model::{Input, Model},
    text,
    theme::Tone,
};

pub const OUT: &str = "get";
pub const INTO: &str = "put";

/// Asks for both paths, of the container of the row.
pub fn ask(model: &mut Model, into: bool) {
    if logs::container(model).is_some() {
        let text = format!("{} ", if into { INTO } else { OUT });
        model.input = Some(Input { command: true, text, ..Input::default() });
    }
}

pub fn copy(model: &mut Model, rest: &str, into: bool, out: &mut Vec<Effect>) {
    let (verb, usage) = match into {
        true => (INTO, "put what, where? :put FILE-HERE PATH-IN-THE-CONTAINER"),
        false => (OUT, "get what, to where? :get PATH-IN-THE-CONTAINER PATH-HERE"),
    };
    let Ok([first, second]) = <[String; 2]>::try_from(words(rest)) else { return model.say(Tone::Warn, usage) };
    let Some((container, name)) = logs::container(model) else { return };
    if model.copies.len() >= MOST {
        return model.say(Tone::Warn, format!("{MOST} copies run, which is the most"));
    }
    let (path, local) = if into { (second, first) } else { (first, second) };
    let token = model.next_token();
    let what = match into {
        true => format!("{verb} {local} into {name}:{path}"),
        false => format!("{verb} {name}:{path} to {local}"),
    };
    model.say(Tone::Plain, format!("{what}…"));
    model.copies.push(Running { token, what: what.into(), bytes: 0 });
    out.push(Effect::Files { token, copying: Copying { container, path, local, into } });
}

/// Words, or what stands in quotes.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_with(String::new);
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    words
}

pub fn copied(model: &mut Model, token: Token, copied: Copied) {
    let Some(at) = model.copies.iter().position(|c| c.token == token) else { return };
    model.dirty = true;
    match copied {
        Copied::Some(bytes) => model.copies[at].bytes = bytes,
        Copied::All(result) => {
            let what = model.copies.remove(at).what;
            let (tone, said) = match result {
                Ok(said) => (Tone::Good, format!("{what}: {said}")),
                Err(error) => (Tone::Bad, format!("{what}: {error}")),
            };
            model.happened.push(model.now, tone, "you", "copy", said.as_str());
            model.say(tone, said);
        }
    }
}

/// For the hint line, while any runs.
pub fn badge(model: &Model) -> Option<String> {
    let bytes: u64 = model.copies.iter().map(|c| c.bytes).sum();
    (!model.copies.is_empty()).then(|| format!(" copying {} ", text::bytes_short(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_may_have_blanks_in_quotes() {
        assert_eq!(words(" a  'b c'/d \"\" "), ["a", "b c/d", ""]);
        assert_eq!(words("\"open"), ["open"]);
    }
}
