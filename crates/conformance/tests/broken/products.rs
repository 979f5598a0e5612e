//! Enablers that do one thing wrong about products.

use std::sync::Mutex;

use super::*;

/// Says nothing of what was bought when it is there.
struct Secretive;

impl Fault for Secretive {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        let is = matches!(&event, Event::Purchase(update) if update.order.is_some());
        if is { Vec::new() } else { vec![event] }
    }
}

/// Believes every certificate.
struct Gullible;

impl Fault for Gullible {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        match (asked, response) {
            (Request::Bind { twin, purchase, serial, .. }, Response::Refused(refusal))
                if refusal.code == RefusalCode::Forbidden =>
            {
                let line = LineId::new("li_1").unwrap();
                let (purchase, serial, twin) = (*purchase, serial.clone(), twin.clone());
                Response::Product(Product { purchase, line, serial, twin, design: None, since: Timestamp(1) })
            }
            (_, response) => response,
        }
    }
}

/// Knows of no products afterwards.
struct Absent;

impl Fault for Absent {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        match (asked, response) {
            // What is said of none at all is what is due.
            (Request::Products { .. }, Response::Products(_)) => Response::Products(Vec::new()),
            (_, response) => response,
        }
    }
}

/// Tells nobody that a product is a twin.
struct Quiet;

impl Fault for Quiet {
    fn event(&self, _who: &str, event: Event) -> Vec<Event> {
        if matches!(event, Event::Product(_)) { Vec::new() } else { vec![event] }
    }
}

/// Lets everybody bind what an owner may.
struct Lavish;

impl Fault for Lavish {
    fn overrules(&self, who: &str, asked: &Request, _refusal: &Refusal) -> bool {
        who.starts_with("kit guest") && matches!(asked, Request::Bind { .. })
    }
}

/// Says that a product is let go, and keeps it.
struct Clinging;

impl Fault for Clinging {
    fn request(&self, _who: &str, request: Request) -> Fate {
        Fate::pass(if matches!(request, Request::Unbind { .. }) { Request::WhoAmI } else { request })
    }

    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        if matches!(asked, Request::WhoAmI) { Response::Done } else { response }
    }
}

/// Puts things where nobody wanted them.
struct Clumsy;

impl Fault for Clumsy {
    fn request(&self, _who: &str, request: Request) -> Fate {
        Fate::pass(match request {
            Request::Keep { purchase, serial, certificate, mut place, visual } => {
                place.position[0] += 7.0;
                Request::Keep { purchase, serial, certificate, place, visual }
            }
            request => request,
        })
    }
}

/// Shows things that are gone as they were.
#[derive(Default)]
struct Nostalgic(Mutex<Option<Vec<TwinView>>>);

impl Fault for Nostalgic {
    fn response(&self, _who: &str, asked: &Request, response: Response) -> Response {
        let Request::DescribeTwin(twin) = asked else { return response };
        if twin.system().as_str() != "things" {
            return response;
        }
        let mut last = self.0.lock().unwrap();
        match response {
            Response::Twins(views) => Response::Twins(last.insert(views).clone()),
            Response::Refused(refusal) => last.clone().map_or(Response::Refused(refusal), Response::Twins),
            response => response,
        }
    }
}

/// Each with the rows that have to fail.
fn products() -> Vec<(&'static str, Box<dyn Fault>, Due)> {
    let all: Due = &["PROD.made", "PROD.forged", "PROD.bind", "PROD.theirs", "PROD.unbind", "PROD.keep", "PROD.gone"];
    vec![
        ("orders that nobody hears of", Box::new(Secretive), all),
        ("certificates that are all believed", Box::new(Gullible), &["PROD.forged"]),
        ("products that are not listed", Box::new(Absent), &["PROD.bind", "PROD.theirs", "PROD.keep", "PROD.gone"]),
        ("products that nobody hears of", Box::new(Quiet), &["PROD.bind"]),
        ("products that are everybody's", Box::new(Lavish), &["PROD.theirs"]),
        ("products that are not let go", Box::new(Clinging), &["PROD.theirs", "PROD.unbind", "PROD.keep", "PROD.gone"]),
        ("things that stand elsewhere", Box::new(Clumsy), &["PROD.keep"]),
        ("things that stay", Box::new(Nostalgic::default()), &["PROD.gone"]),
        ("who only passes on passes", Box::new(Honest), &[]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_enabler_that_is_wrong_about_products_fails_the_rows_that_are_about_it_and_no_others() {
    exactly(products(), bought).await;
}

#[test]
fn each_row_about_products_can_fail_alone_or_with_few() {
    let few = products().into_iter().filter(|(_, _, due)| due.len() < 5).flat_map(|(_, _, due)| due);
    let due: BTreeSet<&str> = few.copied().collect();
    let rows = entries(Reach::ALL).into_iter().filter(|entry| entry.group == Group::Products);
    let never: Vec<_> = rows.map(|entry| entry.id).filter(|id| !due.contains(id)).collect();
    assert_eq!(never, ["PROD.made"], "without which there is nothing to bind");
}
