//! The law of views: screen, then own edit, then the splices that it returns, is the document.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use pistol::{Doc, Node, Policy, Splice, TextEdit, TextSpan, Units, View};
use proptest::prelude::*;

/// What somebody does: on the document directly, as others' changes come, or on the screen.
#[derive(Clone, Debug)]
enum Step {
    Others { at: usize, length: usize, text: String },
    Typed { at: usize, length: usize, text: String },
    Split { at: usize },
    Join { at: usize },
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    let edit = || (0..40usize, 0..4usize, "[a-c\u{1f980}\u{301}]{0,3}");
    prop_oneof![
        edit().prop_map(|(at, length, text)| Step::Others { at, length, text }),
        edit().prop_map(|(at, length, text)| Step::Typed { at, length, text }),
        (0..40usize).prop_map(|at| Step::Split { at }),
        (0..40usize).prop_map(|at| Step::Join { at }),
        Just(Step::Take),
    ]
}

/// An editor that counts in its own units and applies what it is told.
struct Editor {
    units: Units,
    screen: String,
}

impl Editor {
    /// The byte at a position in the editor's units; inside a surrogate pair, the byte before it.
    fn byte(&self, at: usize) -> usize {
        let mut passed = 0;
        for (byte, character) in self.screen.char_indices() {
            let width = if self.units == Units::Utf16 { character.len_utf16() } else { 1 };
            if passed + width > at {
                return byte;
            }
            passed += width;
        }
        self.screen.len()
    }

    fn splice(&mut self, at: usize, length: usize, text: &str) {
        let (from, to) = (self.byte(at), self.byte(at + length));
        self.screen.replace_range(from..to, text);
    }

    fn apply(&mut self, splices: Vec<Splice>) {
        for splice in splices {
            self.splice(splice.at, splice.length, &splice.text);
        }
    }

    /// A position on the screen as the editor counts, at the beginning of some character.
    fn position(&self, wanted: usize) -> usize {
        let before = self.screen.chars().take(wanted.min(self.screen.chars().count()));
        before.map(|character| if self.units == Units::Utf16 { character.len_utf16() } else { 1 }).sum()
    }
}

/// A block shows as one character.
const BLOCK: char = '\u{fffc}';

fn split(body: &TextEdit, at: usize) {
    body.split_block(at.min(body.len())).put("type", "heading");
}

/// Removes a block, if there is one.
fn join(body: &TextEdit, at: usize) {
    let text = body.to_string();
    let blocks: Vec<_> = text.chars().enumerate().filter(|(_, character)| *character == BLOCK).collect();
    if let Some((at, _)) = blocks.get(at % blocks.len().max(1)) {
        body.join_block(*at);
    }
}

fn blocks(doc: &Doc) -> usize {
    doc.read(|doc| doc.text("body").spans().iter().filter(|span| matches!(span, TextSpan::Block(_))).count())
}

fn check(doc: &Doc, view: &View, units: Units, steps: Vec<Step>) {
    let mut editor = Editor { units, screen: view.text() };
    for step in steps {
        match step {
            Step::Others { at, length, text } => {
                let edit = |doc: &mut pistol::Edit| {
                    let body = doc.text("body");
                    let at = at.min(body.len());
                    body.splice(at, length.min(body.len() - at), &text);
                };
                doc.edit(edit).unwrap();
            }
            Step::Typed { at, length, text } => {
                let characters = editor.screen.chars().count();
                let (from, to) = (at.min(characters), (at + length).min(characters));
                let (from, to) = (editor.position(from), editor.position(to));
                let rest = view.edit(from, to - from, &text).unwrap();
                editor.splice(from, to - from, &text);
                editor.apply(rest);
                assert_eq!(editor.screen, doc.read(|doc| doc.text("body").to_string()));
            }
            Step::Split { at } => doc.edit(|doc| split(&doc.text("body"), at)).unwrap(),
            Step::Join { at } => doc.edit(|doc| join(&doc.text("body"), at)).unwrap(),
            Step::Take => editor.apply(view.take()),
        }
        assert_eq!(editor.screen, view.text());
    }
    editor.apply(view.take());
    assert_eq!(editor.screen, doc.read(|doc| doc.text("body").to_string()));
    assert_eq!(editor.screen.matches(BLOCK).count(), blocks(doc));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_screen_after_an_own_edit_and_its_splices_is_the_document(
        steps in proptest::collection::vec(step(), 1..40),
        counts_in_utf16: bool,
    ) {
        let units = if counts_in_utf16 { Units::Utf16 } else { Units::CodePoints };
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let node = Node::builder(folder.path()).offline().open().await.unwrap();
            let doc = node.create(Policy::Owned, |doc| doc.text("body").push("so it begins")).await.unwrap();
            let view = doc.view(|doc| doc.text("body")).unwrap().with_units(units);
            check(&doc, &view, units, steps);
            drop(view);
            node.shutdown().await.unwrap();
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_past_the_end_of_the_screen_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::builder(folder.path()).offline().open().await.unwrap();
    let doc = node.create(Policy::Owned, |doc| doc.text("body").push("abc")).await.unwrap();
    let view = doc.view(|doc| doc.text("body")).unwrap();
    assert!(view.edit(2, 5, "x").is_err());
    assert!(view.edit(usize::MAX, 1, "x").is_err());
    assert_eq!((view.text(), doc.read(|doc| doc.text("body").to_string())), ("abc".to_owned(), "abc".to_owned()));
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_shown_as_one_character_in_both_units() {
    for units in [Units::CodePoints, Units::Utf16] {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::builder(folder.path()).offline().open().await.unwrap();
        let doc = node.create(Policy::Owned, |doc| doc.text("body").push("\u{1f980}b")).await.unwrap();
        let view = doc.view(|doc| doc.text("body")).unwrap().with_units(units);
        let after_crab = if units == Units::Utf16 { 2 } else { 1 };
        doc.edit(|doc| split(&doc.text("body"), 1)).unwrap();
        assert_eq!(view.take(), [Splice { at: after_crab, length: 0, text: BLOCK.to_string() }]);
        assert_eq!(view.edit(after_crab + 1, 0, "a").unwrap(), []);
        assert_eq!((view.text(), blocks(&doc)), ("\u{1f980}\u{fffc}ab".to_owned(), 1));
        doc.edit(|doc| join(&doc.text("body"), 0)).unwrap();
        assert_eq!(view.take(), [Splice { at: after_crab, length: 1, text: String::new() }]);
        assert_eq!((view.text(), blocks(&doc)), ("\u{1f980}ab".to_owned(), 0));
        drop(view);
        node.shutdown().await.unwrap();
    }
}
