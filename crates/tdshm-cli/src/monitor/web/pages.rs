//! Whose page it is: the monitor's, the one of `bridge ws`, or a folder of the user's own.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use hyper::body::Bytes;

use super::page::{self, File};

/// Bytes that a file of a folder may have: it is held in memory while it is sent.
const LARGEST: u64 = 32 << 20;
/// Parts of a path.
const DEEPEST: usize = 32;

/// What a folder's pages may do: what they bring along, scripts and styles in the page included, and nothing from elsewhere.
const FOLDER_POLICY: &str = "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' data: blob:; base-uri 'self'; \
     form-action 'self'; frame-ancestors 'none'";
/// And of the machine, where the browser asks its person.
const FOLDER_PERMISSIONS: &str = "camera=(self), geolocation=(self), microphone=(self)";

/// What is shown at `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    Monitor,
    Send,
    /// A folder, by the name that has no links in it.
    Folder(PathBuf),
}

/// A file that was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) kind: &'static str,
    pub(super) bytes: Bytes,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing of that name, or nothing that may be seen.
    Absent,
    TooLarge,
}

impl Pages {
    /// The pages of that folder.
    pub(crate) fn folder(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let found = path.canonicalize().map_err(|error| {
            anyhow!("cannot open {shown}: {error}: name a folder with an index.html in it")
        })?;
        if !found.is_dir() {
            bail!("{shown} is no folder: name one with an index.html in it");
        }
        Ok(Self::Folder(found))
    }

    pub(super) fn policy(&self) -> &'static str {
        match self {
            Self::Monitor | Self::Send => page::POLICY,
            Self::Folder(_) => FOLDER_POLICY,
        }
    }

    pub(super) fn permissions(&self) -> &'static str {
        match self {
            Self::Monitor | Self::Send => "camera=(), geolocation=(), microphone=()",
            Self::Folder(_) => FOLDER_PERMISSIONS,
        }
    }

    /// The file of that path of a request; `None`: it has to be looked for, with [`read`].
    pub(super) fn built_in(&self, path: &str) -> Option<Result<Found, Missing>> {
        let file = match self {
            Self::Monitor => page::file(path),
            Self::Send => page::send_file(path),
            Self::Folder(_) => return None,
        };
        let found = |File { kind, bytes }| Found { kind, bytes: Bytes::from_static(bytes) };
        Some(file.map(found).ok_or(Missing::Absent))
    }
}

/// The file of that path of a request, in a folder without links in its name. It waits for the disk.
pub(super) fn read(folder: &Path, path: &str) -> Result<Found, Missing> {
    let parts = parts(path).ok_or(Missing::Absent)?;
    let mut file = folder.to_path_buf();
    file.extend(&parts);
    if path.ends_with('/') {
        file.push("index.html");
    }
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::FileTooLarge => Missing::TooLarge,
        _ => Missing::Absent,
    };
    // Links may lead to another place in the folder, and not out of it.
    let file = file.canonicalize().map_err(failed)?;
    let about = fs::metadata(&file).map_err(failed)?;
    // Who opens a pipe waits for its other end.
    if !file.starts_with(folder) || !about.is_file() || hides(&file, folder) {
        return Err(Missing::Absent);
    }
    if about.len() > LARGEST {
        return Err(Missing::TooLarge);
    }
    let bytes = fs::read(&file).map_err(failed)?;
    Ok(Found { kind: kind(&file), bytes: bytes.into() })
}

/// Whether a part of its path below the folder is hidden: a link may lead there.
fn hides(file: &Path, folder: &Path) -> bool {
    let below = file.strip_prefix(folder).unwrap_or(file);
    below.iter().any(|part| part.as_encoded_bytes().starts_with(b"."))
}

/// The parts of a path, as names of files; `None`: it is not one that a page would ask for.
fn parts(path: &str) -> Option<Vec<String>> {
    if path == "/" {
        return Some(Vec::new());
    }
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let parts: Vec<String> = path.split('/').map(decoded).collect::<Option<_>>()?;
    (parts.len() <= DEEPEST && parts.iter().all(|part| is_plain(part))).then_some(parts)
}

/// Whether it names a file beside others, on every system: nothing that leads elsewhere, stands for a device or is hidden.
fn is_plain(part: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|device| {
        stem.strip_prefix(device)
            .is_some_and(|rest| rest.chars().count() == 1 && !rest.starts_with(|c: char| c.is_alphabetic()))
    });
    let wrong = |sign: char| {
        sign.is_control() || matches!(sign, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    !part.is_empty()
        && !part.starts_with('.')
        && !part.ends_with(['.', ' '])
        && !part.contains(wrong)
        && !numbered
        && !DEVICES.contains(&stem.as_str())
}

/// `%20` is a blank.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high << 4 | low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// What a file is, by its extension.
fn kind(file: &Path) -> &'static str {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "gltf" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" | "glsl" | "frag" | "vert" | "wgsl" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/vnd.microsoft.icon",
        "wasm" => "application/wasm",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" => "audio/ogg",
        "wav" => "audio/wav",
        "m4a" => "audio/mp4",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "glb" => "model/gltf-binary",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_nowhere_but_down() {
        let joined = |path: &str| parts(path).map(|parts| parts.join("|"));
        for (path, expected) in [
            ("/", ""),
            ("/a.html", "a.html"),
            ("/a/b.js", "a|b.js"),
            ("/a/", "a"),
            ("/my%20page.html", "my page.html"),
            ("/gr%C3%B6%C3%9Fe", "größe"),
            ("/a..b", "a..b"),
            ("/comet/common.js", "comet|common.js"),
        ] {
            assert_eq!(joined(path).as_deref(), Some(expected), "{path}");
        }
        for path in [
            "",
            "a",
            "//",
            "//a",
            "/a//b",
            "/..",
            "/../a",
            "/a/../b",
            "/.",
            "/a/./b",
            "/%2e%2e/a",
            "/..%2fa",
            "/a%2fb",
            "/%5c..%5ca",
            "/a\\b",
            "/a%00",
            "/a%0a",
            "/c:/a",
            "/C%3A/a",
            "/a:b",
            "/.git/config",
            "/a/.env",
            "/a.",
            "/a%20",
            "/%",
            "/%2",
            "/%zz",
            "/%+1",
            "/%ff",
            "/nul",
            "/NUL.txt",
            "/com1",
            "/LPT9.js",
            "/CON",
            "/com\u{b9}",
        ] {
            assert_eq!(joined(path), None, "{path}");
        }
        assert_eq!(joined(&"/a".repeat(33)), None);
    }

    #[test]
    fn files_are_what_their_extensions_say() {
        assert_eq!(kind(Path::new("a/x.HTML")), "text/html; charset=utf-8");
        assert_eq!(kind(Path::new("x.mjs")), "text/javascript; charset=utf-8");
        assert_eq!(kind(Path::new("x.js.exe")), "application/octet-stream");
        assert_eq!(kind(Path::new("html")), "application/octet-stream");
    }

    #[test]
    fn a_folder_gives_its_files_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("pages");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(root.path().join("secret.txt"), "secret").unwrap();
        fs::write(folder.join("index.html"), "<p>").unwrap();
        fs::write(folder.join("sub/index.html"), "sub").unwrap();
        fs::write(folder.join(".hidden"), "hidden").unwrap();
        let Pages::Folder(folder) = Pages::folder(&folder).unwrap() else { panic!() };
        let get =
            |path: &str| read(&folder, path).map(|found| String::from_utf8(found.bytes.to_vec()).unwrap());
        assert_eq!((get("/"), get("/index.html")), (Ok("<p>".to_owned()), Ok("<p>".to_owned())));
        assert_eq!(get("/sub/"), Ok("sub".to_owned()));
        for path in ["/sub", "/none", "/../secret.txt", "/%2e%2e/secret.txt", "/.hidden", "/index.html/"] {
            assert_eq!(get(path), Err(Missing::Absent), "{path}");
        }
        let large = fs::File::create(folder.join("large.bin")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        assert_eq!(get("/large.bin"), Err(Missing::TooLarge));
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(root.path().join("secret.txt"), folder.join("out.txt")).unwrap();
            symlink(root.path(), folder.join("up")).unwrap();
            symlink(folder.join(".hidden"), folder.join("shown")).unwrap();
            symlink(folder.join("sub"), folder.join("link")).unwrap();
            for path in ["/out.txt", "/up/secret.txt", "/shown"] {
                assert_eq!(get(path), Err(Missing::Absent), "{path}");
            }
            assert_eq!(get("/link/"), Ok("sub".to_owned()), "links within are followed");
        }
        let refused = Pages::folder(&folder.join("index.html")).unwrap_err().to_string();
        assert!(refused.contains("is no folder"), "{refused}");
        assert!(Pages::folder(&folder.join("none")).unwrap_err().to_string().contains("cannot open"));
    }
}
