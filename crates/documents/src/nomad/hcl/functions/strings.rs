//! Functions of strings.

use regex::Regex;

use super::super::eval::Scope;
use super::super::place::Mistake;
use super::super::value::Value;
use super::Args;

pub(super) fn call(scope: &Scope<'_>, args: &Args<'_>) -> Option<Result<Value, Mistake>> {
    Some(match args.name {
        "upper" => one(args, |text| text.to_uppercase()),
        "lower" => one(args, |text| text.to_lowercase()),
        "title" => one(args, title),
        "strrev" => one(args, |text| text.chars().rev().collect()),
        "chomp" => one(args, |text| text.trim_end_matches(['\n', '\r']).to_owned()),
        "trimspace" => one(args, |text| text.trim().to_owned()),
        "basename" => one(args, |text| text.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()),
        "dirname" => one(args, directory),
        "trim" => two(args, |text, set| text.trim_matches(|character| set.contains(character)).to_owned()),
        "trimprefix" => two(args, |text, prefix| text.strip_prefix(prefix).unwrap_or(text).to_owned()),
        "trimsuffix" => two(args, |text, suffix| text.strip_suffix(suffix).unwrap_or(text).to_owned()),
        "startswith" => test(args, |text, prefix| text.starts_with(prefix)),
        "endswith" => test(args, |text, suffix| text.ends_with(suffix)),
        "strlen" => args.count(1, 1).and_then(|()| Ok(count(args.text(0)?.chars().count()))),
        "split" => split(args),
        "join" => join(args),
        "replace" => replace(scope, args),
        "regex_replace" | "regexreplace" => {
            args.count(3, 3).and_then(|()| swap(scope, args, &args.text(0)?, &args.text(1)?, &args.text(2)?))
        }
        "regex" => find(args),
        "substr" => part(args),
        "indent" => indent(scope, args),
        "format" => args.count(1, usize::MAX).and_then(|()| format(scope, args).map(Value::String)),
        _ => return None,
    })
}

fn one(args: &Args<'_>, function: impl Fn(&str) -> String) -> Result<Value, Mistake> {
    args.count(1, 1)?;
    Ok(Value::String(function(&args.text(0)?)))
}

fn two(args: &Args<'_>, function: impl Fn(&str, &str) -> String) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    Ok(Value::String(function(&args.text(0)?, &args.text(1)?)))
}

fn test(args: &Args<'_>, function: impl Fn(&str, &str) -> bool) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    Ok(Value::Bool(function(&args.text(0)?, &args.text(1)?)))
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn title(text: &str) -> String {
    let mut start = true;
    let upper = |character: char| {
        let first = std::mem::replace(&mut start, !character.is_alphanumeric());
        if first { character.to_uppercase().collect::<String>() } else { character.to_string() }
    };
    text.chars().map(upper).collect()
}

fn directory(text: &str) -> String {
    match text.rsplit_once('/') {
        None => ".".to_owned(),
        Some(("", _)) => "/".to_owned(),
        Some((directory, _)) => directory.to_owned(),
    }
}

fn split(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let (separator, text) = (args.text(0)?, args.text(1)?);
    if text.is_empty() {
        return Ok(args.made([]));
    }
    if separator.is_empty() {
        return Ok(args.made(text.chars().map(|character| Value::String(character.to_string()))));
    }
    Ok(args.made(text.split(separator.as_str()).map(|part| Value::String(part.to_owned()))))
}

fn join(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, usize::MAX)?;
    let mut parts = Vec::new();
    for index in 1..args.nodes.len() {
        parts.extend(args.texts(index)?);
    }
    Ok(Value::String(parts.join(&args.text(0)?)))
}

/// A pattern between slashes is a regular expression.
fn replace(scope: &Scope<'_>, args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(3, 3)?;
    let (text, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    match from.strip_prefix('/').and_then(|from| from.strip_suffix('/')) {
        Some(pattern) if !pattern.is_empty() => swap(scope, args, &text, pattern, &to),
        _ => {
            scope.spend(text.len().saturating_mul(to.len() + 1), args.at)?;
            Ok(Value::String(text.replace(&from, &to)))
        }
    }
}

fn swap(scope: &Scope<'_>, args: &Args<'_>, text: &str, pattern: &str, to: &str) -> Result<Value, Mistake> {
    scope.spend(text.len().saturating_mul(to.len() + 1), args.at)?;
    Ok(Value::String(expression(args, pattern)?.replace_all(text, to).into_owned()))
}

fn expression(args: &Args<'_>, pattern: &str) -> Result<Regex, Mistake> {
    Regex::new(pattern).map_err(|_| args.mistake(format!("{pattern:?} is no regular expression")))
}

/// The match, or what its groups hold.
fn find(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let (pattern, text) = (args.text(0)?, args.text(1)?);
    let expression = expression(args, &pattern)?;
    let found = expression.captures(&text).ok_or_else(|| args.mistake(format!("{pattern:?} does not match")))?;
    let group = |index: usize| found.get(index).map_or(Value::Null, |found| Value::String(found.as_str().to_owned()));
    let names: Vec<_> = expression.capture_names().skip(1).collect();
    Ok(if names.is_empty() {
        group(0)
    } else if names.iter().all(Option::is_some) {
        let named =
            names.iter().enumerate().map(|(index, name)| (name.unwrap_or_default().to_owned(), group(index + 1).at(args.at)));
        Value::map(named)
    } else {
        args.made((1..=names.len()).map(group))
    })
}

/// `substr(text, offset, length)` in characters; an offset below 0 counts from the end, a length of -1 is the rest.
fn part(args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(3, 3)?;
    let characters: Vec<char> = args.text(0)?.chars().collect();
    let (offset, length) = (args.int(1)?, args.int(2)?);
    let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    let start = if offset < 0 { characters.len().saturating_sub(back) } else { back.min(characters.len()) };
    let rest = &characters[start..];
    let length = usize::try_from(length).map_or(rest.len(), |length| length.min(rest.len()));
    Ok(Value::String(rest[..length].iter().collect()))
}

/// Every line but the first is moved in.
fn indent(scope: &Scope<'_>, args: &Args<'_>) -> Result<Value, Mistake> {
    args.count(2, 2)?;
    let spaces = usize::try_from(args.int(0)?).map_err(|_| args.mistake("a number of spaces is not negative"))?;
    let text = args.text(1)?;
    scope.spend(spaces.saturating_mul(1 + text.matches('\n').count()), args.at)?;
    Ok(Value::String(text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

/// `%s %v %q %d %f %t %x %%`, with a width, `0` and `-`, and a precision.
fn format(scope: &Scope<'_>, args: &Args<'_>) -> Result<String, Mistake> {
    let pattern = args.text(0)?;
    let mut rest = pattern.as_str();
    let (mut text, mut next) = (String::new(), 1);
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let end = after.find(|character: char| character.is_alphabetic() || character == '%');
        let end = end.ok_or_else(|| args.mistake("a % without its letter"))?;
        let (flags, verb) = (&after[..end], after[end..].chars().next().unwrap_or_default());
        rest = &after[end + verb.len_utf8()..];
        if verb == '%' {
            text.push('%');
            continue;
        }
        let (width, precision) = flags.split_once('.').unwrap_or((flags, ""));
        let size = |digits: &str| digits.parse::<usize>().ok().filter(|size| *size <= 1024);
        let (left, zeros) = (width.starts_with('-'), width.starts_with('0'));
        let digits = width.trim_start_matches(['-', '0', '+', ' ']);
        let wide = if digits.is_empty() { Some(0) } else { size(digits) };
        let exact = if precision.is_empty() { Some(6) } else { size(precision) };
        let (Some(wide), Some(exact)) = (wide, exact) else {
            return Err(args.mistake(format!("%{flags}{verb} is not understood; a width is at most 1024")));
        };
        let word = match verb {
            's' | 'v' => args.text(next)?,
            'q' => format!("{:?}", args.text(next)?),
            't' => args.node(next)?.value.to_bool().ok_or_else(|| args.wrong(next, "true or false"))?.to_string(),
            'd' => args.int(next)?.to_string(),
            'x' => format!("{:x}", args.int(next)?),
            'f' => format!("{:.exact$}", args.number(next)?),
            other => return Err(args.mistake(format!("%{other} is not understood"))),
        };
        next += 1;
        scope.spend(word.len() + wide, args.at)?;
        text.push_str(&if left {
            format!("{word:<wide$}")
        } else if zeros {
            let (sign, word) = word.strip_prefix('-').map_or(("", word.as_str()), |word| ("-", word));
            format!("{sign}{word:0>width$}", width = wide.saturating_sub(sign.len()))
        } else {
            format!("{word:>wide$}")
        });
    }
    text.push_str(rest);
    if next < args.nodes.len() {
        return Err(args.mistake(format!("{} arguments are not used", args.nodes.len() - next)));
    }
    Ok(text)
}
