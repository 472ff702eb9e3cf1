//! The page: files that are part of the program.

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    pub(super) kind: &'static str,
    pub(super) bytes: &'static [u8],
}

/// What the page may do: load what comes from here, and connect to here. No script but the files, no style but the sheets.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! file {
    ($kind:literal, $path:literal) => {
        Some(File { kind: $kind, bytes: include_bytes!(concat!("page/", $path)) })
    };
}

/// The file of that path.
pub(super) fn file(path: &str) -> Option<File> {
    match path {
        "/" | "/index.html" => file!("text/html; charset=utf-8", "index.html"),
        "/app.js" => file!("text/javascript; charset=utf-8", "app.js"),
        "/csv.js" => file!("text/javascript; charset=utf-8", "csv.js"),
        "/link.js" => file!("text/javascript; charset=utf-8", "link.js"),
        "/picture.js" => file!("text/javascript; charset=utf-8", "picture.js"),
        "/plot.js" => file!("text/javascript; charset=utf-8", "plot.js"),
        "/table.js" => file!("text/javascript; charset=utf-8", "table.js"),
        "/theme.js" => file!("text/javascript; charset=utf-8", "theme.js"),
        "/style.css" => file!("text/css; charset=utf-8", "style.css"),
        "/icon.svg" => file!("image/svg+xml", "icon.svg"),
        "/vendor/uPlot.iife.min.js" => file!("text/javascript; charset=utf-8", "vendor/uPlot.iife.min.js"),
        "/vendor/uPlot.min.css" => file!("text/css; charset=utf-8", "vendor/uPlot.min.css"),
        "/vendor/uPlot-LICENSE.txt" => file!("text/plain; charset=utf-8", "vendor/uPlot-LICENSE.txt"),
        _ => None,
    }
}

/// The same of the page of `bridge ws`.
pub(super) fn send_file(path: &str) -> Option<File> {
    match path {
        "/" | "/index.html" => file!("text/html; charset=utf-8", "send/index.html"),
        "/client.js" => file!("text/javascript; charset=utf-8", "send/client.js"),
        "/page.js" => file!("text/javascript; charset=utf-8", "send/page.js"),
        "/style.css" => file!("text/css; charset=utf-8", "send/style.css"),
        "/icon.svg" => file!("image/svg+xml", "icon.svg"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_that_sends_is_whole_and_its_client_is_the_examples() {
        let page = std::str::from_utf8(send_file("/").unwrap().bytes).unwrap();
        for path in page.split("src=\"").skip(1).chain(page.split("href=\"").skip(1)) {
            let path = path.split('"').next().unwrap();
            assert!(send_file(&format!("/{path}")).is_some(), "{path}");
        }
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("<script>"));
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/browser/client.js");
        let example = std::fs::read(example).unwrap();
        assert!(send_file("/client.js").unwrap().bytes == example, "the two files of that name differ");
        // As docs/bridge.md says.
        let example = std::str::from_utf8(&example).unwrap();
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/*");
        assert!(example.lines().map(str::trim).filter(is_code).count() <= 50);
    }

    #[test]
    fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
        let page = std::str::from_utf8(file("/").unwrap().bytes).unwrap();
        let linked = page.split("src=\"").skip(1).chain(page.split("href=\"").skip(1));
        for path in linked.map(|rest| rest.split('"').next().unwrap()).filter(|path| !path.starts_with('#')) {
            assert!(file(&format!("/{path}")).is_some(), "{path}");
        }
        for path in ["/app.js", "/csv.js", "/link.js", "/picture.js", "/plot.js", "/table.js", "/theme.js"] {
            let script = std::str::from_utf8(file(path).unwrap().bytes).unwrap();
            let imported = script.split("from \"./").skip(1).map(|rest| rest.split('"').next().unwrap());
            for path in imported {
                assert!(file(&format!("/{path}")).is_some(), "{path}");
            }
        }
        // The policy forbids both.
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="));
        assert!(
            page.split("<script")
                .skip(1)
                .all(|rest| rest.contains("></script>") && rest.starts_with(" src="))
        );
        assert!(file("/../web.rs").is_none() && file("//").is_none());
    }
}
