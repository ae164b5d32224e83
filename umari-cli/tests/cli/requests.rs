//! What a target of effects reads: requests as HTTP/1.1 writes them.

use std::io::BufRead;

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    /// Path and query.
    pub(crate) path: String,
    /// Names in lower case, and values.
    headers: Vec<(String, String)>,
    /// The body, however it was sent.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; `None` where it ends, be it in the middle of one.
    pub(crate) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let path = line(reader)?.split(' ').nth(1)?.to_owned();
        let mut headers = Vec::new();
        loop {
            let header = line(reader)?;
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self {
            path,
            headers,
            body: Vec::new(),
        };
        request.body = match request.header("content-length") {
            Some(length) => bytes(reader, length.parse().ok()?)?,
            None if request.header("transfer-encoding").is_some() => chunks(reader)?,
            None => Vec::new(),
        };
        Some(request)
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

fn bytes(reader: &mut impl BufRead, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&line(reader)?, 16).ok()?;
        body.extend(bytes(reader, length)?);
        bytes(reader, 2)?;
        if length == 0 {
            return Some(body);
        }
    }
}
