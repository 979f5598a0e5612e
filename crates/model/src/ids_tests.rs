use super::*;

#[test]
fn a_twin_names_its_system() {
    let id = TwinId::new("home/front_door").unwrap();
    assert_eq!((id.system().as_str(), id.local()), ("home", "front_door"));
    assert!(matches!(TwinId::new("front_door"), Err(IdError::NoSystem(_))));
    assert!(TwinId::new("home/a/b").is_err(), "a second slash would hide another system");
    assert!(TwinId::new("/x").is_err() && TwinId::new("home/").is_err());
}

#[test]
fn device_names_become_ids() {
    assert_eq!(FeatureId::slug(" Küche 1 ").as_str(), "K_che_1");
    assert_eq!(FeatureId::slug("").as_str(), "_");
    assert_eq!(TwinId::of(&SystemId::slug("home"), "0x00:ab cd").as_str(), "home/0x00:ab_cd");
    assert!(TwinId::new(TwinId::of(&SystemId::slug(&"s".repeat(99)), &"t".repeat(999)).as_str()).is_ok());
}

#[test]
fn ids_from_outside_are_checked() {
    assert!(serde_json::from_str::<TwinId>("\"home/../etc\"").is_err());
    assert!(serde_json::from_str::<UserId>("\"\"").is_err());
    let key = CommandId([0xab; 16]);
    assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{key}\""), "people read hexadecimal digits");
    assert_eq!(serde_json::from_str::<CommandId>(&format!("\"{key}\"")).unwrap(), key);
    assert_eq!(postcard::to_stdvec(&key).unwrap(), [0xab; 16], "the wire does not");
    assert_eq!(key.to_string().parse::<CommandId>().unwrap(), key);
    assert!("zz".repeat(16).parse::<CommandId>().is_err() && "é".repeat(16).parse::<CommandId>().is_err());
}
