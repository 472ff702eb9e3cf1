//! Who may come in: which names the server answers to, whose pages may ask, and the token.
//!
//! A page from anywhere can make a browser send requests to this machine. Three things keep it out: the name that the
//! browser was told (`Host`) has to be one that nobody else's name server can point here, whoever asks (`Origin`, and what
//! newer browsers say in `Sec-Fetch-Site`) has to be this very page, and beyond loopback a token has to come along.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::{Method, StatusCode, Uri};

/// What the server answers to, and whom.
#[derive(Debug)]
pub(super) struct Gate {
    /// Names besides `localhost` and addresses, in small letters.
    names: Vec<String>,
    /// Whether others than this machine reach it.
    beyond: bool,
    token: Option<String>,
    /// Of its own for each port: cookies know none.
    cookie: String,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) sentence: String,
}

impl Refusal {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }
}

/// How somebody who may come in showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Nothing has to be shown, or a cookie was.
    Known,
    /// The token stood in the address: this cookie saves it from now on.
    Keep(String),
}

impl Gate {
    pub(super) fn new(port: u16, beyond: bool, names: &[String], token: Option<String>) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { names, beyond, token, cookie: format!("tdshm-{port}") }
    }

    /// Whether a request may come in.
    pub(super) fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Pass, Refusal> {
        let host = one(headers, &HOST).ok_or_else(|| {
            Refusal::new(StatusCode::BAD_REQUEST, "the request has no Host, or more than one")
        })?;
        if !self.answers_to(host) {
            let host: String = host.chars().take(80).collect();
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                format!(
                    "this server does not answer to {host:?}: use its address, or start it with --allow-host"
                ),
            ));
        }
        // Who asks through a proxy says the whole address (RFC 9112, section 3.2.2).
        if uri.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host)) {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "the address that is asked for and the Host of the request are not the same",
            ));
        }
        self.same_origin(method, host, headers)?;
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here"));
        }
        self.shown(uri, headers)
    }

    /// Whether that is a name of this server: one that no foreign name server can point here.
    fn answers_to(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let name = name.to_ascii_lowercase();
        if let Some(address) = address(&name) {
            // Who types an address was not sent there by a name server.
            return self.beyond || address.is_loopback();
        }
        name == "localhost" || self.names.contains(&name)
    }

    /// Whether it is this page that asks, or nobody's page.
    fn same_origin(&self, method: &Method, host: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let foreign = || Refusal::new(StatusCode::FORBIDDEN, "another page asks: only this server's own may");
        if headers.contains_key(ORIGIN) {
            let origin = one(headers, &ORIGIN).ok_or_else(foreign)?;
            let (scheme, rest) = origin.split_once("://").ok_or_else(foreign)?;
            // https: somebody stands in front of this server who does that.
            if !matches!(scheme, "http" | "https") || !rest.eq_ignore_ascii_case(host) {
                return Err(foreign());
            }
        }
        const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
        const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");
        let is = |name: &HeaderName, value: &str| one(headers, name) == Some(value);
        if headers.contains_key(SITE) && !is(&SITE, "same-origin") && !is(&SITE, "none") {
            // A link to here may be followed; nothing may be taken from here.
            let followed = is(&MODE, "navigate") && is(&DESTINATION, "document") && *method == Method::GET;
            if !followed {
                return Err(foreign());
            }
        }
        Ok(())
    }

    /// Whether the token was shown, where there is one.
    fn shown(&self, uri: &Uri, headers: &HeaderMap) -> Result<Pass, Refusal> {
        let Some(token) = &self.token else { return Ok(Pass::Known) };
        let is_token = |given: &str| same(token, given);
        if headers.get_all(COOKIE).iter().any(|cookies| self.cookie_of(cookies.to_str().ok()).any(is_token)) {
            return Ok(Pass::Known);
        }
        let bearer = one(headers, &AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if bearer.is_some_and(is_token) {
            return Ok(Pass::Known);
        }
        let mut asked =
            uri.query().unwrap_or_default().split('&').filter_map(|part| part.strip_prefix("token="));
        if asked.any(is_token) {
            let Self { cookie, .. } = self;
            return Ok(Pass::Keep(format!("{cookie}={token}; Path=/; HttpOnly; SameSite=Strict")));
        }
        Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "this server wants its token: open the address that it printed when it started",
        ))
    }

    fn cookie_of<'h>(&'h self, cookies: Option<&'h str>) -> impl Iterator<Item = &'h str> {
        let pairs = cookies.unwrap_or_default().split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == self.cookie).map(|(_, value)| value)
    }
}

/// The value of a header that comes once; `None` otherwise.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// `name` of `name:8765`, `[::1]` of `[::1]:8765`.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.rfind(']') {
        Some(end) => host.split_at_checked(end.saturating_add(1))?,
        None => host.find(':').and_then(|colon| host.split_at_checked(colon)).unwrap_or((host, "")),
    };
    let fits = port.is_empty() || port.strip_prefix(':').is_some_and(|digits| digits.parse::<u16>().is_ok());
    (fits && !name.is_empty()).then_some(name)
}

fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse().ok().filter(IpAddr::is_ipv4),
    }
}

/// Whether two texts are the same; how long that takes says nothing about the first.
fn same(secret: &str, given: &str) -> bool {
    let (secret, given) = (secret.as_bytes(), given.as_bytes());
    let mut differs = u8::from(secret.len() != given.len());
    for (place, byte) in secret.iter().enumerate() {
        differs |= byte ^ given.get(place).copied().unwrap_or(0);
    }
    std::hint::black_box(differs) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn status(gate: &Gate, uri: &str, pairs: &[(&'static str, &str)]) -> u16 {
        let admitted = gate.admit(&Method::GET, &uri.parse().unwrap(), &headers(pairs));
        admitted.map_or_else(|refusal| refusal.status.as_u16(), |_| 200)
    }

    #[test]
    fn only_names_of_this_machine_are_answered_to() {
        let here = Gate::new(8765, false, &["Studio.local".to_owned()], None);
        for host in [
            "localhost:8765",
            "LOCALHOST",
            "127.0.0.1:8765",
            "127.9.9.9:1",
            "[::1]:8765",
            "studio.LOCAL:8765",
        ] {
            assert_eq!(status(&here, "/", &[("host", host)]), 200, "{host}");
        }
        let foreign = [
            "evil.example",
            "evil.example:8765",
            "localhost.evil.example:8765",
            "192.168.1.4:8765",
            "[::2]:8765",
            "127.0.0.1.evil.example",
            "2130706433",
            "0x7f.1",
            "localhost:99999",
            "localhost:x",
            "",
            ":8765",
            "::1",
        ];
        for host in foreign {
            assert_eq!(status(&here, "/", &[("host", host)]), 403, "{host}");
        }
        assert_eq!(status(&here, "/", &[]), 400);
        assert_eq!(status(&here, "/", &[("host", "localhost"), ("host", "localhost")]), 400);
        let beyond = Gate::new(8765, true, &[], None);
        assert_eq!(status(&beyond, "/", &[("host", "192.168.1.4:8765")]), 200);
        assert_eq!(status(&beyond, "/", &[("host", "evil.example:8765")]), 403);
    }

    #[test]
    fn a_whole_address_agrees_with_the_host() {
        let gate = Gate::new(8765, false, &[], None);
        let with = |uri, host| status(&gate, uri, &[("host", host)]);
        for uri in ["http://localhost:8765/health", "http://LOCALHOST:8765", "HTTP://localhost:8765/?x"] {
            assert_eq!(with(uri, "localhost:8765"), 200, "{uri}");
        }
        for uri in [
            "http://evil.example/",
            "http://localhost/",
            "http://localhost:8766/",
            "http://me@localhost:8765/",
            "evil.example:80",
        ] {
            assert_eq!(with(uri, "localhost:8765"), 400, "{uri}");
        }
        assert_eq!(with("http://evil.example/", "evil.example"), 403);
    }

    #[test]
    fn another_page_gets_nothing() {
        let gate = Gate::new(8765, false, &[], None);
        let with = |name, value| status(&gate, "/socket", &[("host", "localhost:8765"), (name, value)]);
        for origin in ["http://localhost:8765", "http://LOCALHOST:8765", "https://localhost:8765"] {
            assert_eq!(with("origin", origin), 200, "{origin}");
        }
        let foreign = [
            "http://evil.example",
            "http://localhost",
            "http://localhost:9000",
            "http://127.0.0.1:8765",
            "null",
            "",
            "file://",
            "ftp://localhost:8765",
            "http://localhost:8765.evil.example",
            "http://evil@localhost:8765",
        ];
        for origin in foreign {
            assert_eq!(with("origin", origin), 403, "{origin}");
        }
        assert_eq!((with("sec-fetch-site", "same-origin"), with("sec-fetch-site", "none")), (200, 200));
        assert_eq!((with("sec-fetch-site", "cross-site"), with("sec-fetch-site", "same-site")), (403, 403));
        let link = [
            ("host", "localhost:8765"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(status(&gate, "/", &link), 200);
        let framed = [link[0], link[1], link[2], ("sec-fetch-dest", "iframe")];
        assert_eq!(status(&gate, "/", &framed), 403);
    }

    #[test]
    fn the_token_opens_and_nothing_like_it() {
        let gate = Gate::new(8765, true, &[], Some(TOKEN.to_owned()));
        let host = ("host", "10.0.0.2:8765");
        assert_eq!(status(&gate, "/", &[host]), 401);
        assert_eq!(status(&gate, "/?token=0123456789abcdef", &[host]), 200);
        assert_eq!(status(&gate, "/?x=1&token=0123456789abcdef", &[host]), 200);
        for wrong in ["", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0", "0123456789ABCDEF"] {
            assert_eq!(status(&gate, &format!("/?token={wrong}"), &[host]), 401, "{wrong}");
        }
        assert_eq!(status(&gate, "/", &[host, ("cookie", "a=b; tdshm-8765=0123456789abcdef")]), 200);
        assert_eq!(status(&gate, "/", &[host, ("cookie", "tdshm-8766=0123456789abcdef")]), 401);
        assert_eq!(status(&gate, "/", &[host, ("authorization", "Bearer 0123456789abcdef")]), 200);
        let passed =
            gate.admit(&Method::GET, &"/?token=0123456789abcdef".parse().unwrap(), &headers(&[host]));
        let cookie = "tdshm-8765=0123456789abcdef; Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(passed, Ok(Pass::Keep(cookie.to_owned())));
    }

    #[test]
    fn nothing_is_changed_by_asking() {
        let gate = Gate::new(1, false, &[], None);
        for method in [Method::POST, Method::OPTIONS, Method::CONNECT, Method::DELETE] {
            let refused =
                gate.admit(&method, &"/".parse().unwrap(), &headers(&[("host", "localhost")])).unwrap_err();
            assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
        }
    }
}
