//! How to pay: what can be chosen, what is to be sent, and where to. Pure.

use paywatch_core::{AddressForm, MethodKind, PaymentOption};
use paywatch_store::OrderRecord;

use crate::checkout::Checkout;
use crate::checkout::page::Chosen;
use crate::orders::view::ask::{Ask, Content, due};
use crate::orders::view::call::CallView;
use crate::state::Shop;
use crate::wire::address;

/// The part of the page by which an order is paid.
#[derive(Debug)]
pub(crate) struct Pay {
    /// What can be chosen.
    pub(crate) groups: Vec<Group>,
    /// The chosen chain, as people know it.
    pub(crate) chain: String,
    /// The chosen token.
    pub(crate) symbol: String,
    /// Its contract.
    pub(crate) contract: String,
    /// The QR code, if a wallet can read one.
    pub(crate) code: Option<Code>,
    /// What is to be copied.
    pub(crate) fields: Vec<Field>,
    /// What is to be known first.
    pub(crate) lead: String,
    /// What else is to be known.
    pub(crate) notes: Vec<String>,
}

/// Things of which one is chosen.
#[derive(Debug)]
pub(crate) struct Group {
    /// What they are.
    pub(crate) label: &'static str,
    /// The things.
    pub(crate) choices: Vec<Choice>,
}

/// A thing that may be chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What it is called.
    pub(crate) label: String,
    /// The page on which it is chosen.
    pub(crate) href: String,
    /// Whether it is.
    pub(crate) is_chosen: bool,
}

/// A QR code.
#[derive(Debug)]
pub(crate) struct Code {
    /// The image.
    pub(crate) src: String,
    /// What it says, for those who do not see it.
    pub(crate) alt: String,
    /// What it may hold, if there is a choice.
    pub(crate) group: Option<Group>,
    /// The URI, which a wallet on the same device opens.
    pub(crate) uri: Option<String>,
}

/// Something to be copied.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its place on the page.
    pub(crate) id: &'static str,
    /// What it is.
    pub(crate) label: &'static str,
    /// What is copied.
    pub(crate) value: String,
    /// What stands behind it.
    pub(crate) unit: String,
}

/// How a payer sees an order's ways.
#[derive(Clone, Copy)]
struct Names<'a> {
    token: &'a str,
    checkout: &'a Checkout,
    shop: &'a Shop,
}

impl Names<'_> {
    fn chain(&self, way: &PaymentOption) -> String {
        let id = way.token.chain_id;
        let title = self.checkout.chain_titles.get(&id).cloned();
        title.unwrap_or_else(|| self.shop.name_of(id))
    }

    /// The query that chooses exactly this way. Names of chains and methods and addresses need no
    /// escapes.
    fn query(&self, way: &PaymentOption) -> String {
        let chain = self.shop.name_of(way.token.chain_id);
        let contract = address(way.token.chain_id, way.token.address);
        let method = way.method.kind().name();
        format!("chain={chain}&token={contract}&method={method}")
    }
}

/// How the order is paid in the way that was chosen, or in the one that comes nearest; `None` if
/// there is no way at all.
pub(crate) fn pay(
    record: &OrderRecord,
    chosen: &Chosen<'_>,
    (token, checkout, shop): (&str, &Checkout, &Shop),
) -> Option<Pay> {
    let names = Names {
        token,
        checkout,
        shop,
    };
    let way = chosen.wish.nearest(&record.order, shop)?;
    let (chain, symbol) = (names.chain(way), way.token.symbol.clone());
    let mut pay = Pay {
        groups: groups(record, way, names),
        contract: address(way.token.chain_id, way.token.address),
        code: None,
        fields: Vec::new(),
        lead: String::new(),
        notes: Vec::new(),
        chain,
        symbol,
    };
    let Some(ask) = due(record, way) else {
        pay.lead = not_so(&record.order.options, checkout);
        return Some(pay);
    };
    pay.code = Some(code(&ask, &pay, chosen.content, names.code(way, &ask)));
    match &ask.call {
        None => send(&mut pay, ask, way.method.kind()),
        Some(call) => {
            "For wallets that call contracts: first allow the amount, then pay. A mere transfer to \
             one of these addresses pays nothing."
                .clone_into(&mut pay.lead);
            pay.notes
                .push("The code and the link are the second call.".to_owned());
            pay.fields = calls(&ask, call, &pay.symbol);
        },
    }
    Some(pay)
}

/// Why the rest cannot be paid in the chosen way.
fn not_so(ways: &[PaymentOption], checkout: &Checkout) -> String {
    let why = "Some of it has arrived, and the rest cannot be paid in this way.";
    let mut kinds = ways.iter().map(|way| way.method.kind());
    if kinds.any(|kind| kind != MethodKind::ExactAmount) {
        return format!("{why} Choose another one.");
    }
    let who = checkout.merchant_name.as_deref().unwrap_or("the merchant");
    format!("{why} Ask {who} how to pay it.")
}

/// What can be chosen besides `way`, where there is a choice.
fn groups(record: &OrderRecord, way: &PaymentOption, names: Names<'_>) -> Vec<Group> {
    let ways = &record.order.options;
    let chain = way.token.chain_id;
    let on_chain = || ways.iter().filter(|other| other.token.chain_id == chain);
    let networks = ways.iter().map(|other| {
        let name = names.shop.name_of(other.token.chain_id);
        Choice {
            label: names.chain(other),
            href: format!("?chain={name}"),
            is_chosen: other.token.chain_id == chain,
        }
    });
    let tokens = on_chain().map(|other| {
        let (name, contract) = (
            names.shop.name_of(chain),
            address(chain, other.token.address),
        );
        Choice {
            label: other.token.symbol.clone(),
            href: format!("?chain={name}&token={contract}"),
            is_chosen: other.token == way.token,
        }
    });
    let methods = on_chain().filter(|other| other.token == way.token);
    let methods = methods.map(|other| Choice {
        label: method_in_words(other.method.kind()).to_owned(),
        href: format!("?{}", names.query(other)),
        is_chosen: other.method.kind() == way.method.kind(),
    });
    [
        group("Network", networks),
        group("Token", tokens),
        group("How to pay", methods),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The different ones of `choices`, if there are several.
fn group(label: &'static str, choices: impl Iterator<Item = Choice>) -> Option<Group> {
    let mut different: Vec<Choice> = Vec::new();
    for choice in choices {
        if !different.contains(&choice) {
            different.push(choice);
        }
    }
    (different.len() > 1).then_some(Group {
        label,
        choices: different,
    })
}

const fn method_in_words(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::DepositAddress => "To an address",
        MethodKind::ExactAmount => "An exact amount",
        MethodKind::Contract => "By a contract call",
    }
}

/// Where the code's image is, and the page with the other one.
struct CodeUrls {
    image: String,
    page: String,
    has_uri: bool,
}

impl Names<'_> {
    fn code(&self, way: &PaymentOption, ask: &Ask) -> CodeUrls {
        let (token, query) = (self.token, self.query(way));
        CodeUrls {
            // The amount is named so that no browser shows the image of another one.
            image: format!("{token}/qr.svg?{query}&amount={}", ask.units),
            page: format!("?{query}"),
            has_uri: AddressForm::of(way.token.chain_id) == AddressForm::Eip55,
        }
    }
}

fn code(ask: &Ask, pay: &Pay, wanted: Content, urls: CodeUrls) -> Code {
    let CodeUrls {
        image,
        page,
        has_uri,
    } = urls;
    let has_choice = has_uri && ask.call.is_none();
    let is_plain = wanted == Content::Address && has_choice;
    let (amount, symbol, chain) = (ask.amount, &pay.symbol, &pay.chain);
    let group = has_choice.then(|| Group {
        label: "QR code",
        choices: vec![
            Choice {
                label: "Address and amount".to_owned(),
                href: page.clone(),
                is_chosen: !is_plain,
            },
            Choice {
                label: "Address only".to_owned(),
                href: format!("{page}&qr=address"),
                is_chosen: is_plain,
            },
        ],
    });
    Code {
        src: if is_plain {
            format!("{image}&plain=true")
        } else {
            image
        },
        alt: if is_plain || !has_uri {
            format!("QR code of the address on {chain}")
        } else {
            format!("QR code that asks a wallet for {amount} {symbol} on {chain}")
        },
        group,
        uri: has_uri.then(|| ask.uri.clone()),
    }
}

/// A transfer that pays.
fn send(pay: &mut Pay, ask: Ask, kind: MethodKind) {
    let (amount, symbol, chain) = (ask.amount, &pay.symbol, &pay.chain);
    let only = format!(
        "Send {symbol} on {chain} and nothing else: what comes as another token or on another \
         network may be lost."
    );
    let exactly = format!(
        "Exactly {amount} {symbol} must arrive, to the last digit: your payment is recognised by \
         it. If your wallet or exchange takes a fee, add it."
    );
    let enough =
        format!("{amount} {symbol} must arrive. If your wallet or exchange takes a fee, add it.");
    let (lead, note) = match kind {
        MethodKind::ExactAmount => (exactly, only),
        MethodKind::DepositAddress | MethodKind::Contract => (only, enough),
    };
    pay.fields = vec![
        Field {
            id: "amount",
            label: "Amount",
            value: amount.to_string(),
            unit: symbol.clone(),
        },
        Field {
            id: "address",
            label: "Address",
            value: ask.address,
            unit: String::new(),
        },
    ];
    pay.lead = lead;
    pay.notes.push(note);
}

/// The calls that pay.
fn calls(ask: &Ask, call: &CallView, symbol: &str) -> Vec<Field> {
    let field = |id, label, value: &str, unit: &str| Field {
        id,
        label,
        value: value.to_owned(),
        unit: unit.to_owned(),
    };
    vec![
        field("amount", "Amount", &ask.amount.to_string(), symbol),
        field("approve-to", "First call: contract", &call.approve.to, ""),
        field("approve-data", "First call: data", &call.approve.data, ""),
        field("pay-to", "Second call: contract", &call.pay.to, ""),
        field("pay-data", "Second call: data", &call.pay.data, ""),
    ]
}

#[cfg(test)]
mod tests;
