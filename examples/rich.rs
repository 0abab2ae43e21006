//! A rich text: a heading, a paragraph, and bold words that stay bold while others write into them. Shown as HTML.

use pistol::{Expand, Node, Policy, Result, TextContent, TextSpan, Value};

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or("rich.pistol".to_owned());
    let node = Node::open(folder).await?;
    let note = node.create(Policy::Owned, |doc| doc.text("body")).await?;
    note.edit(|doc| {
        let body = doc.text("body");
        body.split_block(0).put("tag", "h1");
        body.push("Plans");
        body.split_block(6).put("tag", "p");
        body.push("We meet at noon.");
        body.mark(18..22, "bold", true, Expand::After);
    })?;
    println!("{}", note.read(|doc| html(&doc.text("body"))));

    // A cursor stays at its letter, wherever others write.
    let noon = note.read(|doc| doc.text("body").cursor(18));
    note.edit(|doc| doc.text("body").insert(7, "On Monday: "))?;
    let at = noon.and_then(|noon| note.read(|doc| doc.text("body").position(&noon))).unwrap_or_default();
    note.edit(|doc| doc.text("body").insert(at + 2, "o"))?;
    println!("{}", note.read(|doc| html(&doc.text("body"))));
    Ok(node.shutdown().await?)
}

/// Blocks begin elements, and marks become tags of their own.
fn html(body: &TextContent) -> String {
    let (mut html, mut open) = (String::new(), String::new());
    for span in body.spans() {
        match span {
            TextSpan::Block(block) => {
                let Some(Value::Text(tag)) = block.value("tag") else { continue };
                html.extend([&open, "<", &tag, ">"]);
                open = format!("</{tag}>\n");
            }
            TextSpan::Text { text, marks } if marks.contains_key("bold") => html.extend(["<b>", &text, "</b>"]),
            TextSpan::Text { text, .. } => html += &text,
            _ => {}
        }
    }
    html + open.trim_end()
}
