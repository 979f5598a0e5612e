use super::*;

fn read(source: &str, payload: &str) -> String {
    Template::new("value_template", source).unwrap().read(payload, "sensor.x", None).unwrap()
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
    ] {
        assert_eq!(read(source, json), expected, "{source}");
    }
    assert_eq!(read("{{ value }}", "plain"), "plain");
}

#[test]
fn is_defined_says_nothing_instead_of_failing() {
    let template = Template::new("f", "{{ value_json.x | is_defined }}").unwrap();
    assert_eq!(template.read("{}", "e", None), Err(TemplateError::Nothing));
    assert_eq!(template.read(r#"{"x":1}"#, "e", None), Ok("1".to_owned()));
    assert!(matches!(template.read("no json", "e", None), Err(TemplateError::Failed(_))));
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
        let said = template.read(&"a".repeat(60_000), "e", None);
        assert!(matches!(said, Err(TemplateError::Failed(_))), "{source}");
    }
}
