use super::*;

fn read(source: &str, payload: &str) -> String {
    Template::new("value_template", source).unwrap().read(payload, "sensor.x", None, &[]).unwrap()
}

#[test]
fn home_assistant_s_filters_answer_as_python_does() {
    let json = r#"{"t": 21.456, "n": 3, "on": true, "none": null, "a": {"b c": [1, 2.0, "x"]}, "s": "7.9"}"#;
    for (source, expected) in [
        ("{{ value_json.t | round(1) }}", "21.5"),
        ("{{ value_json.t | round }}", "21"),
        ("{{ value_json.on }}", "True"),
        ("{{ value_json.none }}", "None"),
        ("{{ value_json.missing }}", ""),
        ("{{ value_json.missing | default('x') }}", "x"),
        ("{{ value_json.a['b c'] }}", "[1, 2.0, 'x']"),
        ("{{ value_json.a['b c'][1] * 2 }}", "4.0"),
        ("{{ value_json.s | float * 2 }}", "15.8"),
        ("{{ value_json.s | int }}", "7"),
        ("{{ value_json.missing | float(0) }}", "0"),
        ("{{ value_json.n | multiply(2) | add(1) }}", "7"),
        ("{{ 'ON' if value_json.on else 'OFF' }}", "ON"),
        ("{{ iif(value_json.on, 'a', 'b') }}", "a"),
        ("{{ value_json.get('n', 0) }}", "3"),
        ("{{ value_json['a'].keys() | join(',') }}", "b c"),
        ("{{ (value_json.n / 2) | round(0) }}", "2"),
        ("{{ '%.1f' | format(value_json.t) }}", "21.5"),
        ("{{ '{:.2f}|{:03d}|{:02X}'.format(value_json.t, 7, 255) }}", "21.46|007|FF"),
        ("{{ min(3, 1, 2) }}{{ [3, 1] | max }}", "13"),
        ("{{ 'a,b'.split(',')[1] | upper }}", "B"),
        ("{{ 'abc' | regex_replace('b(c)', '\\\\1-') }}", "ac-"),
        ("{{ 'v12' | regex_findall_index('[0-9]+') }}", "12"),
        ("{{ '0x1f' | int(base=16) }}", "31"),
        ("{{ 6 | bitwise_and(3) }}", "2"),
        ("{{ {'a': true} | to_json }}", r#"{"a":true}"#),
        ("{{ this.state }} {{ entity_id }}", "unknown sensor.x"),
        ("{{ value_json.on and value_json.n in [3] }}", "True"),
        ("{{ value_json.n * 2 ** 2 - value_json.t|round(0)*2 }}", "-30"),
        ("{{ [1, 2, 4] | average | round(2) }} {{ median(1, 9, 2, 3) }}", "2.33 2.5"),
        ("{{ 'Küche: Licht 1' | slugify }} {{ 'a b/ü' | urlencode }}", "küche_licht_1 a%20b/%C3%BC"),
        ("{{ 'one two three' | truncate(9, false, '..', 0) }}", "one.."),
        ("{% for i in range(1, 7, 2) %}{{ i }}{% endfor %}", "135"),
    ] {
        assert_eq!(read(source, json), expected, "{source}");
    }
    assert_eq!(read("{{ value }}", "plain"), "plain");
}

#[test]
fn is_defined_says_nothing_instead_of_failing() {
    let template = Template::new("f", "{{ value_json.x | is_defined }}").unwrap();
    assert_eq!(template.read("{}", "e", None, &[]), Err(TemplateError::Nothing));
    assert_eq!(template.read(r#"{"x":1}"#, "e", None, &[]), Ok("1".to_owned()));
    assert!(matches!(template.read("no json", "e", None, &[]), Err(TemplateError::Failed(_))));
}

#[test]
fn broken_ones_are_refused_with_words() {
    for source in ["{{ value", "{% if %}", "{{ value | nosuch }}", "{{ states('a.b') }}", "{% include 'x' %}"] {
        assert!(Template::new("f", source).is_err(), "{source}");
    }
    assert!(Template::new("f", &"x".repeat(MAX_TEMPLATE + 1)).is_err());
}

#[test]
fn hostile_ones_end() {
    let loops = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}";
    for source in [
        loops,
        "{{ value | replace('a', value) | replace('a', value) }}",
        "{{ ('a' * 99000000) | length }}{{ 'a' * 2000000 }}",
        "{{ '%99999999d' | format(1) }}",
        "{{ '{:99999999d}'.format(1) }}",
        "{{ range(100000) | join('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') }}",
        "{{ value | regex_replace('a', '\\\\0\\\\0\\\\0') | regex_replace('a', value) }}",
    ] {
        let template = Template::new("f", source).unwrap();
        let said = template.read(&"a".repeat(60_000), "e", None, &[]);
        assert!(matches!(said, Err(TemplateError::Failed(_))), "{source}");
    }
}

#[test]
fn what_made_the_engine_or_us_panic_or_hang_is_a_problem_of_its_feature() {
    let doubled = |how: &str, then: &str| format!("{{% set a = [value] %}}{}{then}", how.repeat(40));
    for source in [
        "{{ value|int }}".to_owned(),
        "{{ '{18446744073709551615}'.format(1) }}".to_owned(),
        "{{ ([0,0]*18446744073709551615)|length }}".to_owned(),
        "{{ ([0]*200000000)|list|length }}".to_owned(),
        "{{ (200000000*[0])|list|length }}".to_owned(),
        "{{ value * 3 }}".to_owned(),
        "{{ range(0, 9223372036854775807)|list|length }}".to_owned(),
        doubled("{% set a = [a,a] %}", "{{ a|to_json|length }}"),
        doubled("{% set a = {'x': a, 'y': a} %}", "{{ a|to_json|length }}"),
        doubled("{% set a = [a,a] %}", "{% set b = a %}{{ a == b }}"),
        "{{ value|replace('-', '{0}' * 3) }}".to_owned(),
    ] {
        let began = std::time::Instant::now();
        let said = Template::new("f", &source).map_err(TemplateError::Failed);
        let said = said.and_then(|template| template.read("--9223372036854775808", "e", None, &[]));
        assert!(matches!(said, Err(TemplateError::Failed(_))), "{source}: {said:?}");
        assert!(began.elapsed().as_secs() < 5, "{source}");
    }
    assert_eq!(read("{{ value|int }}", "-9223372036854775807"), "-9223372036854775807");
    assert_eq!(read("{{ value|int(7) }}", "-+5"), "7");
}

#[test]
fn large_payloads_have_less_fuel() {
    let loops = "{% for a in range(9999) %}{{ value|upper|length == 1 }}{% endfor %}";
    let template = Template::new("f", loops).unwrap();
    let began = std::time::Instant::now();
    let said = template.read(&"a".repeat(200_000), "e", None, &[]);
    assert!(matches!(said, Err(TemplateError::Failed(_))), "{said:?}");
    assert!(began.elapsed().as_secs() < 5);
}

mod hostile {
    use proptest::prelude::*;

    use super::*;

    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "a",
            "b",
            "value",
            "value_json",
            "1",
            "-9223372036854775808",
            "18446744073709551615",
            "0.5",
            "'x'",
            "'{0}{99}'",
            "[]",
            "range(9999)",
            "none",
            "true",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
            let two = (inner.clone(), inner.clone());
            prop_oneof![
                (
                    two.clone(),
                    prop::sample::select(vec!["*", "+", "-", "~", "==", "<", "%", "//", "/", "**", "in", "and"])
                )
                    .prop_map(|((a, b), sign)| format!("({a} {sign} {b})")),
                two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
                two.prop_map(|(a, b)| format!("{{'k': {a}, 'l': {b}}}")),
                (
                    inner.clone(),
                    prop::sample::select(vec![
                        "int",
                        "float",
                        "list",
                        "to_json",
                        "length",
                        "join(a)",
                        "replace('x', b)",
                        "round(400)",
                        "sort",
                        "string",
                        "format(a)",
                        "int(0, 36)",
                        "sum",
                        "last",
                        "abs",
                        "truncate(1)",
                        "base64_encode",
                    ])
                )
                    .prop_map(|(a, filter)| format!("({a})|{filter}")),
                (inner, prop::sample::select(vec!["format(a, b)", "split('x')", "count(b)", "join(b)", "strip(a)"]))
                    .prop_map(|(a, method)| format!("({a}).{method}")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn no_template_panics_or_runs_on(
            sets in prop::collection::vec((prop::sample::select(vec!["a", "b"]), expression()), 0..10),
            last in expression(),
            looped in any::<bool>(),
            payload in prop::sample::select(vec!["x", "--5", "[1,2,[3]]", "{\"a\": 1}", "-9223372036854775808"]),
        ) {
            let mut source: String = sets.iter().map(|(name, value)| format!("{{% set {name} = {value} %}}")).collect();
            let last = format!("{{{{ {last} }}}}{{{{ a == b }}}}");
            source += &if looped { format!("{{% for b in range(50) %}}{last}{{% endfor %}}") } else { last };
            let began = std::time::Instant::now();
            if let Ok(template) = Template::new("f", &source) {
                let said = template.read(payload, "e", None, &[]);
                prop_assert!(said != Err(TemplateError::Failed(BROKEN.to_owned())), "{}", source);
            }
            prop_assert!(began.elapsed().as_secs() < 10, "{}", source);
        }
    }
}
