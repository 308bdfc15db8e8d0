//! What may be asked and what not, in every spelling.

use std::net::Ipv4Addr;

use super::*;

fn refusal(guard: &Guard, url: &str) -> String {
    match guard.parse(url) {
        Err(error) => error.to_string(),
        Ok(url) => panic!("{url} may be asked"),
    }
}

fn open(allowed: &[&str]) -> Guard {
    Guard::new()
        .with_http()
        .with_allowed(allowed.iter().map(|text| text.parse().unwrap()))
}

#[test]
fn public_services_may_be_asked() {
    for url in [
        "https://shop.example/webhooks?a=b",
        "https://shop.example:443/",
        "HTTPS://SHOP.EXAMPLE",
        "https://93.184.215.14/hook",
        "https://[2606:4700:4700::1111]/hook",
        "https://bücher.example/",
        "https://localhost.example/",
    ] {
        assert!(Guard::new().parse(url).is_ok(), "{url}");
    }
    assert!(
        Guard::new()
            .with_http()
            .parse("http://shop.example/")
            .is_ok()
    );
    let other = Guard::new().with_ports([443, 8443]);
    assert!(other.parse("https://shop.example:8443/").is_ok());
}

#[test]
fn other_schemes_ports_and_credentials_are_refused() {
    let guard = Guard::new();
    for (url, words) in [
        ("", "no URL"),
        ("shop.example", "no URL"),
        ("https://", "no URL"),
        ("http://shop.example/", "allow_http"),
        ("ftp://shop.example/", "use https"),
        ("file:///etc/passwd", "use https"),
        ("gopher://shop.example/", "use https"),
        ("data:text/plain,x", "use https"),
        ("https://me@shop.example/", "leave them out"),
        ("https://:secret@shop.example/", "leave them out"),
        ("https://shop.example:8443/", "allowed are 443, and"),
        ("https://shop.example:80/", "shop.example:80"),
        ("https://shop.example:0/", "port 0"),
    ] {
        let said = refusal(&guard, url);
        assert!(said.contains(words), "{url}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
    assert!(refusal(&Guard::new().with_http(), "ws://shop.example/").contains("https or http"));
    assert!(refusal(&Guard::new().with_http(), "http://shop.example:22/").contains("443, 80"));
}

/// Every way to write an address that a URL knows is the same address.
#[test]
fn insiders_are_refused_however_they_are_written() {
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0x7f.0.0.0x1",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "0",
        "0.0.0.0",
        "10.0.0.7",
        "0xa.7",
        "012.0.0.07",
        "192.168.1.1",
        "172.16.0.1",
        "172.31.255.255",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "168.63.129.16",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:0:0:0:0:80ff:fffe]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[2001:db8::1]",
    ] {
        let said = refusal(&Guard::new(), &format!("https://{host}/"));
        assert!(said.contains("only public addresses"), "{host}: {said}");
    }
    for name in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "shop.localhost",
        "%6cocalhost",
    ] {
        let said = refusal(&Guard::new(), &format!("https://{name}/"));
        assert!(said.contains("this machine"), "{name}: {said}");
    }
}

#[test]
fn what_is_listed_may_be_asked_and_its_neighbours_not() {
    let guard = open(&[
        "shop.internal:8080",
        "till.internal",
        "10.20.0.0/16",
        "127.0.0.1:3000",
        "[::1]:3000",
    ]);
    for url in [
        "http://shop.internal:8080/",
        "http://SHOP.internal.:8080/",
        "http://till.internal/",
        "https://till.internal/",
        "http://10.20.255.7/",
        "http://127.0.0.1:3000/",
        "http://0x7f.1:3000/",
        "http://[::1]:3000/",
        "https://shop.example/",
    ] {
        assert!(guard.parse(url).is_ok(), "{url}: {:?}", guard.parse(url));
    }
    for (url, words) in [
        // Its addresses are not looked at, so only what is listed is asked there.
        ("http://shop.internal/", "allowed are 8080"),
        ("http://shop.internal:8081/", "allowed are 8080"),
        ("http://till.internal:8080/", "443, 80"),
        ("http://10.21.0.1/", "private"),
        ("http://10.20.0.1:8080/", "port 8080"),
        ("http://127.0.0.1/", "port 80"),
        ("http://[::ffff:10.20.0.7]/", "IPv4 written as IPv6"),
        ("http://shop.example:8080/", "port 8080"),
    ] {
        let said = refusal(&guard, url);
        assert!(said.contains(words), "{url}: {said}");
    }
    assert!(open(&["127.0.0.0/8"]).parse("http://localhost/").is_ok());
    assert!(
        open(&["localhost:3000"])
            .parse("http://localhost:3000/")
            .is_ok()
    );
}

#[test]
fn of_a_names_addresses_only_those_are_used_that_may_be() {
    let public: IpAddr = Ipv4Addr::new(93, 184, 215, 14).into();
    let private: IpAddr = Ipv4Addr::new(10, 20, 0, 7).into();
    let metadata: IpAddr = Ipv4Addr::new(169, 254, 169, 254).into();
    let guard = Guard::new();
    assert_eq!(
        guard.admitted("a.example", vec![private, public, metadata]),
        Ok(vec![public])
    );
    let refused = guard
        .admitted("a.example", vec![private, metadata])
        .unwrap_err()
        .to_string();
    assert!(
        refused.starts_with("a.example is 10.20.0.7, which is private"),
        "{refused}"
    );

    let guard = open(&["shop.internal:8080", "10.20.0.0/16"]);
    assert_eq!(
        guard.admitted("Shop.Internal.", vec![metadata]),
        Ok(vec![metadata])
    );
    assert_eq!(
        guard.admitted("b.example", vec![private, metadata]),
        Ok(vec![private])
    );
}
