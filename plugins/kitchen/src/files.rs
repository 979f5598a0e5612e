//! The kitchen's files: rules, diary and recipes that were taken in, each written beside and renamed, set aside where it
//! cannot be read.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use vestibule_kitchen::{KitchenRules, Limits};

use crate::{
    book::{Book, Effect},
    diary::{DIARY_BYTES, Diary},
};

const RULES: &str = "kitchen.toml";
const DIARY: &str = "diary.toml";
const RECIPES: &str = "recipes";
/// Files of one folder that are looked at.
const MOST_FILES: usize = 1_000;

/// Where the kitchen keeps things.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// Rules, diary, taken-in recipes; none: nothing is kept.
    pub folder: Option<PathBuf>,
}

/// Reads at most `most` bytes of text; more is none.
fn read(path: &Path, most: usize) -> io::Result<String> {
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1)).read_to_string(&mut text)?;
    if text.len() > most {
        return Err(io::Error::other(format!("it is longer than {most} bytes")));
    }
    Ok(text)
}

/// Writes beside the file and then puts it in its place: there is always one whole file.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = fs::File::create(&beside)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)
}

/// A file that a person named, for their eyes where it cannot be read.
pub(crate) fn named(path: &str) -> Result<String, String> {
    let shown: String = path.chars().take(80).collect();
    read(Path::new(path), Limits::default().bytes).map_err(|error| format!("{shown} cannot be read: {error}."))
}

/// Adds every recipe of a folder; what cannot be read is told and left as it is.
pub(crate) fn add_all(book: &mut Book, folder: &Path, own: bool, problems: &mut Vec<String>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            problems.push(format!("{}: {error}.", folder.display()));
            return;
        }
    };
    let mut paths: Vec<PathBuf> = entries.take(MOST_FILES).filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        // A point stands between a text's name and its second recipe.
        let plain = if name.contains('.') { Err("its name has a point in it".to_owned()) } else { Ok(()) };
        let text = plain.and_then(|()| read(path, Limits::default().bytes).map_err(|error| error.to_string()));
        let done = text.and_then(|text| book.add(name, &text, own).map_err(|error| error.to_string()));
        if let Err(why) = done {
            problems.push(format!("{}: {why}", path.display()));
        }
    }
}

impl Files {
    /// What was kept, and what of it could not be read: that is set aside.
    pub(crate) fn open(folder: Option<PathBuf>, shipped: Option<&Path>) -> (Self, Book, Vec<String>) {
        let (mut book, mut problems) = (Book::default(), Vec::new());
        if let Some(folder) = &folder {
            let text = kept(&folder.join(RULES), Limits::default().bytes, &mut problems);
            let rules = text.map(|text| KitchenRules::read(&text).map_err(|error| error.to_string()));
            match rules {
                Some(Ok(rules)) => {
                    if let Err(error) = book.rule(rules) {
                        problems.push(format!("Your kitchen's rules: {error}."));
                    }
                }
                Some(Err(why)) => set_aside(&folder.join(RULES), &why, &mut problems),
                None => {}
            }
        }
        if let Some(shipped) = shipped {
            add_all(&mut book, shipped, false, &mut problems);
        }
        if let Some(folder) = &folder {
            add_all(&mut book, &folder.join(RECIPES), true, &mut problems);
            match kept(&folder.join(DIARY), DIARY_BYTES, &mut problems).map(|text| Diary::read(&text)) {
                Some(Ok(diary)) => book.diary = diary,
                Some(Err(error)) => set_aside(&folder.join(DIARY), &error.to_string(), &mut problems),
                None => {}
            }
        }
        (Self { folder }, book, problems)
    }

    /// Writes down what an effect asks for.
    pub(crate) fn keep(&self, book: &Book, effect: &Effect) -> Result<(), String> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let recipe = |name: &str| folder.join(RECIPES).join(format!("{name}.json"));
        let done = match effect {
            Effect::Nothing | Effect::Read { .. } | Effect::Fetch { .. } => Ok(()),
            Effect::Diary => {
                let text = book.diary.write().map_err(|error| error.to_string())?;
                write(&folder.join(DIARY), &text)
            }
            Effect::Rules => {
                let text = book.rules.write().map_err(|error| error.to_string())?;
                write(&folder.join(RULES), &text)
            }
            Effect::Take { name, text } => write(&recipe(name), text),
            Effect::Forget { name } => {
                // Dishes of it went, too.
                self.keep(book, &Effect::Diary)?;
                fs::remove_file(recipe(name))
            }
        };
        done.map_err(|error| format!("{}: {error}.", folder.display()))
    }
}

fn kept(path: &Path, most: usize, problems: &mut Vec<String>) -> Option<String> {
    match read(path, most) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            set_aside(path, &error.to_string(), problems);
            None
        }
    }
}

/// What cannot be read is not written over: a person may mend it.
fn set_aside(path: &Path, why: &str, problems: &mut Vec<String>) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".broken");
    let kept = match fs::rename(path, PathBuf::from(&aside)) {
        Ok(()) => format!("it is kept as {}", Path::new(&aside).display()),
        Err(error) => format!("and it cannot be set aside: {error}"),
    };
    problems.push(format!("{}: {why}; {kept}.", path.display()));
}

#[cfg(test)]
mod tests {
    use vestibule_model::Timestamp;
    use vestibule_twin::Cook;

    use super::*;

    const SOUP: &str = r#"{"@type": "Recipe", "name": "Leek soup", "recipeIngredient": ["2 leeks", "1 l water"]}"#;

    fn ask(files: &Files, book: &mut Book, wish: &Cook) {
        let effect = book.follow(wish, Some(Timestamp(5))).unwrap();
        files.keep(book, &effect).unwrap();
    }

    #[test]
    fn everything_is_there_again_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let (files, mut book, problems) = Files::open(Some(folder.path().to_owned()), None);
        assert!(problems.is_empty() && book.recipes.is_empty());
        ask(&files, &mut book, &Cook::Import(SOUP.to_owned()));
        let recipe = book.recipes.keys().next().unwrap().clone();
        ask(&files, &mut book, &Cook::Choose { recipe: recipe.clone(), at: Timestamp(99) });
        ask(&files, &mut book, &Cook::Keep { ingredient: "rice".to_owned(), amount: "500 g".to_owned() });
        ask(&files, &mut book, &Cook::Count { ingredient: "salt".to_owned(), amount: "200 g".to_owned() });
        let (again, mut read, problems) = Files::open(Some(folder.path().to_owned()), None);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((&read.recipes, &read.diary, &read.rules), (&book.recipes, &book.diary, &book.rules));
        ask(&again, &mut read, &Cook::Forget(recipe));
        let (_, read, problems) = Files::open(Some(folder.path().to_owned()), None);
        assert!(problems.is_empty() && read.recipes.is_empty() && read.diary.dishes.is_empty());
        assert_eq!(read.diary.counted.len(), 1, "and nothing else went with it");
    }

    #[test]
    fn what_cannot_be_read_is_set_aside_and_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DIARY), "dishes = 3").unwrap();
        fs::write(folder.path().join(RULES), [0xff, 0xfe]).unwrap();
        fs::create_dir(folder.path().join(RECIPES)).unwrap();
        fs::write(folder.path().join(RECIPES).join("x.json"), "{").unwrap();
        fs::write(folder.path().join(RECIPES).join("y.json"), SOUP).unwrap();
        let (_, book, problems) = Files::open(Some(folder.path().to_owned()), None);
        assert_eq!((problems.len(), book.recipes.len()), (3, 1), "{problems:?}");
        for name in [DIARY, RULES] {
            assert!(folder.path().join(format!("{name}.broken")).exists(), "{name}");
        }
        assert!(named(&folder.path().join("none").to_string_lossy()).is_err());
    }

    #[test]
    fn a_long_file_is_refused_before_it_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        fs::write(&path, vec![b' '; Limits::default().bytes + 1]).unwrap();
        assert!(named(&path.to_string_lossy()).unwrap_err().contains("longer"));
    }

    #[test]
    fn the_recipes_that_ship_are_understood() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/recipes");
        let (_, book, problems) = Files::open(None, Some(&shipped));
        assert_eq!(problems, Vec::<String>::new());
        assert!(book.recipes.len() >= 5 && !book.instructions.is_empty(), "{:?}", book.recipes.keys());
        for (key, kept) in &book.recipes {
            let recipe = &kept.what;
            assert!(recipe.serves.servings.is_some() && !recipe.steps.is_empty() && recipe.total_ms.is_some(), "{key}");
            for line in recipe.ingredients.iter().filter(|line| !line.optional) {
                assert!(line.food().is_some() && line.amount.is_some(), "{key}: {line:?}");
            }
        }
    }
}
