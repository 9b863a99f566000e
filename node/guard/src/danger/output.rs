//! What simple commands print, and which files commands write, told without running them.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};

use super::call::Call;
use super::words::unescaped;

/// What a command prints, if its words and its input tell it.
pub fn of(call: &Call<'_>) -> Option<String> {
    let all_known = call.arguments.iter().all(|word| word.known && !word.globs);
    if !all_known {
        return None;
    }
    match call.name.as_str() {
        "echo" => Some(echo(call)),
        "printf" => Some(printf(call)),
        "true" | ":" | "cd" | "export" | "sleep" => Some(String::new()),
        "cat" | "tee" if call.operands().next().is_none() || call.name == "tee" => call.input.text().map(str::to_owned),
        "base64" | "gbase64" if decodes(call) => base64(call.input.text()?),
        "xxd" if call.option('r', "revert") => hex(call.input.text()?),
        "openssl" if call.option('d', "") && call.texts().any(|text| text.contains("base64") || text == "-a") => {
            base64(call.input.text()?)
        }
        "rev" => Some(call.input.text()?.lines().map(|line| line.chars().rev().collect::<String>() + "\n").collect()),
        _ => None,
    }
}

/// Files that a command's arguments say that it writes or removes.
pub fn written<'a>(call: &Call<'a>) -> Vec<&'a str> {
    let operands: Vec<&str> = call.operands().collect();
    let last = || operands.iter().skip(1).last().copied();
    match call.name.as_str() {
        "tee" | "touch" | "truncate" | "rm" | "unlink" | "mv" | "rename" | "mkdir" | "rmdir" | "shred" | "patch"
        | "sponge" | "set-content" | "out-file" | "add-content" | "remove-item" | "move-item" | "new-item" | "vim"
        | "vi" | "nano" | "ed" | "ex" | "emacs" => operands,
        "cp" | "ln" | "install" | "rsync" | "scp" | "copy" | "xcopy" | "copy-item" => {
            let folder = call.value("-t", "--target-directory");
            let mut written: Vec<&str> = folder.or_else(last).into_iter().collect();
            // Into a folder, a file keeps its name.
            let keeps = written.iter().any(|path| path.ends_with('/') || matches!(*path, "." | ".."));
            if keeps && !written.iter().any(|path| path.starts_with("/tmp")) && call.name == "ln" {
                written.extend(operands.iter().take(operands.len().saturating_sub(1)));
            }
            written
        }
        "sed" | "gsed" | "perl" | "ruby" if in_place(call) => {
            operands.into_iter().skip(usize::from(!call.has(&["-e", "-pe", "-f"]))).collect()
        }
        "yq" | "gawk" | "sd" | "dos2unix" if call.option('i', "inplace") || call.name == "sd" => operands,
        "dd" => call.texts().filter_map(|text| text.strip_prefix("of=")).collect(),
        "curl" | "aria2c" | "http" | "xh" | "wget" => fetched(call).into_iter().collect(),
        "tar" | "unzip" | "bsdtar" => {
            call.value("-C", "--directory").or_else(|| call.value("-d", "")).into_iter().collect()
        }
        "ssh-keygen" => call.value("-f", "").filter(|_| !call.option('l', "")).into_iter().collect(),
        "sort" => call.value("-o", "--output").into_iter().collect(),
        "git" if operands.first().is_some_and(|verb| matches!(*verb, "rm" | "mv")) => operands,
        _ => Vec::new(),
    }
}

/// Where a fetching command says that it writes to.
pub fn fetched<'a>(call: &Call<'a>) -> Option<&'a str> {
    if call.name == "wget" {
        return call.value("", "--output-document").or_else(|| call.clustered('O', "cdFNqrSvx46"));
    }
    call.value("", "--output").or_else(|| call.clustered('o', "0146#afgGijJkLlMnNOqRsSvZ"))
}

fn in_place(call: &Call<'_>) -> bool {
    call.texts().any(|text| {
        text == "--in-place"
            || text.starts_with("--in-place=")
            || text.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains('i'))
    })
}

fn decodes(call: &Call<'_>) -> bool {
    call.operands().next().is_none() && (call.option('d', "decode") || call.option('D', "decode"))
}

fn echo(call: &Call<'_>) -> String {
    let (mut escapes, mut newline, mut words) = (false, true, Vec::new());
    for text in call.texts() {
        let flags =
            text.strip_prefix('-').filter(|rest| !rest.is_empty() && rest.bytes().all(|byte| b"neE".contains(&byte)));
        match flags.filter(|_| words.is_empty()) {
            Some(flags) => {
                escapes |= flags.contains('e');
                newline &= !flags.contains('n');
            }
            None => words.push(text),
        }
    }
    let text = words.join(" ");
    let text = if escapes { unescaped(&text) } else { text };
    if newline { text + "\n" } else { text }
}

/// Values replace `%s` and its like, one by one; the format is used again while there are more.
fn printf(call: &Call<'_>) -> String {
    let mut texts = call.texts().skip_while(|text| *text == "--");
    let format = unescaped(texts.next().unwrap_or_default());
    let mut values = texts.peekable();
    let mut printed = String::new();
    for _ in 0..64 {
        let mut rest = format.as_str();
        let mut used = false;
        while let Some((before, behind)) = rest.split_once('%') {
            printed.push_str(before);
            let kind = behind.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(behind.len());
            match behind[kind..].chars().next() {
                Some('%') => printed.push('%'),
                Some('b') => printed.push_str(&unescaped(values.next().unwrap_or_default())),
                _ => printed.push_str(values.next().unwrap_or_default()),
            }
            used |= !behind[kind..].starts_with('%');
            rest = behind.get(kind + 1..).unwrap_or_default();
        }
        printed.push_str(rest);
        if !used || values.peek().is_none() {
            break;
        }
    }
    printed
}

pub fn base64(text: &str) -> Option<String> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').collect();
    let bytes = BASE64_NOPAD.decode(&letters).or_else(|_| BASE64.decode(text.trim().as_bytes())).ok()?;
    String::from_utf8(bytes).ok()
}

/// Base64 of UTF-16, as PowerShell takes commands.
pub fn base64_utf16(text: &str) -> Option<String> {
    let letters: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').collect();
    let bytes = BASE64_NOPAD.decode(&letters).ok()?;
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok().filter(|_| bytes.len() % 2 == 0)
}

fn hex(text: &str) -> Option<String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    String::from_utf8(HEXLOWER_PERMISSIVE.decode(&digits).ok()?).ok()
}
