//! `pistol space`: one application's documents under one ticket, who is in it, and what they are called by everybody.

mod shown;
mod values;
mod work;

use super::Context;
use super::grant::Parted;
use super::ls::Listed;
use crate::failure::Failure;
use crate::kind::KindName;
use crate::preset::PresetName;
use crate::request::Request;
use crate::store::Network;
use shown::{Held, Named, Shown};

pub(crate) use work::{Asked, documents, documents_in, execute, find};

/// Makes spaces: documents that come with one ticket, with their members and names
///
/// Whoever joins a space gets its documents, those made later too. `pistol new NAME --space SPACE` makes one there, `pistol grant
/// SPACE WHO` lets somebody else make some.
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol space new club --preset team\n  pistol space show club\n  pistol space put scores scores.alice 7"
)]
pub(crate) struct Space {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Makes a space that belongs to this store's author, and prints its id
    #[command(before_help = "Examples:\n  pistol space new club\n  pistol space new scores --preset open")]
    New {
        /// What you call it; others have names of their own for it
        name: String,
        /// Who adds documents: team: whom `pistol grant` names; wall and open: everybody who can read it; private and published:
        /// its author only
        #[arg(long, value_enum, default_value_t = PresetName::Team, hide_possible_values = true,
              value_name = "private|published|wall|open|team")]
        preset: PresetName,
    },
    /// Lists the spaces of the store
    #[command(visible_alias = "list", before_help = "Examples:\n  pistol space ls\n  pistol space ls --json")]
    Ls,
    /// Shows who is in a space, its documents and whether they have their place in it, and its names
    #[command(before_help = "Examples:\n  pistol space show club\n  pistol space show club --json")]
    Show {
        /// The space's name, or the beginning of its id
        space: String,
    },
    /// Takes a document out of a space: others get it no more with the space; only roots may
    #[command(before_help = "Examples:\n  pistol space remove club spam\n  pistol space remove club 3mHx9")]
    Remove {
        /// The space's name, or the beginning of its id
        space: String,
        /// The document's name, or the beginning of its id
        document: String,
    },
    /// Takes somebody's documents out of a space, whoever has edited them; `pistol revoke` takes those that nobody has
    #[command(before_help = "Examples:\n  pistol space ban club bob\n  pistol space ban club 5f1c…e2 --keep plan")]
    Ban {
        /// The space's name, or the beginning of its id
        space: String,
        /// Whom: an author, or an identity or a group, as for `pistol grant`
        who: String,
        /// A document that stays as it is shown here; may be repeated
        #[arg(long, value_name = "DOC")]
        keep: Vec<String>,
    },
    /// Claims a name for a document, by which everybody in the space finds it; who claims first has it
    #[command(before_help = "Examples:\n  pistol space claim club agenda plan\n  pistol space claim club notes 3mHx9")]
    Claim {
        /// The space's name, or the beginning of its id
        space: String,
        /// The name: small letters, digits, and - and _ between them
        name: String,
        /// The document's name here, or the beginning of its id
        document: String,
    },
    /// Confirms whose a name is, as an admin of the space: no rival can take it then
    #[command(
        before_help = "Examples:\n  pistol space confirm club agenda\n  pistol space confirm club agenda~abcdefgh23"
    )]
    Confirm {
        /// The space's name, or the beginning of its id
        space: String,
        /// The name, or the form of it that `pistol space show` prints if several claim it
        name: String,
    },
    /// Puts a value at a path: a name of the space, a dot, and a key; who puts the first value there owns it
    #[command(
        before_help = "Examples:\n  pistol space put club scores.alice 7\n  pistol space put club motto.text '\"Onwards!\"'"
    )]
    Put {
        /// The space's name, or the beginning of its id
        space: String,
        /// A name of the space, a dot, and a key; a name that nobody has is claimed
        path: String,
        /// A number, a text, true, false or null as JSON; quote it for the shell, and texts once more for JSON: '"text"'
        #[arg(value_name = "JSON", allow_hyphen_values = true)]
        value: String,
    },
    /// Prints the value at a path
    #[command(before_help = "Examples:\n  pistol space read club scores.alice\n  pistol space read club motto.text")]
    Read {
        /// The space's name, or the beginning of its id
        space: String,
        /// A name of the space, a dot, and a key
        path: String,
    },
}

impl Space {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let output = &context.output;
        match self.what {
            What::New { name, preset } => {
                let asked = Request::Spaces(Asked::New { name: name.clone(), preset });
                let shown: Shown = context.ask_with(&Network::Off, asked).await?;
                output.record(&shown, shown.id())?;
                output.say(format_args!(
                    "made `{name}`; `pistol new NAME --space {name}` makes a document there, `pistol share {name}` invites others"
                ));
                Ok(())
            }
            What::Ls => list(context).await,
            What::Show { space } => {
                let shown: Shown = context.ask(Request::Spaces(Asked::Show { space })).await?;
                output.record(&shown, shown.words())
            }
            What::Remove { space, document } => {
                let removed: Held = context.ask(Request::Spaces(Asked::Remove { space, document })).await?;
                output.record(&removed, removed.words())?;
                output.say("removed; who has it keeps it, and nobody gets it with the space any more");
                Ok(())
            }
            What::Ban { space, who, keep } => {
                let banned: Parted = context.ask(Request::Spaces(Asked::Ban { space, who, keep })).await?;
                banned.print(context)?;
                output.say("banned; their documents leave the space as others learn of it, but for those of a --keep");
                Ok(())
            }
            What::Claim { space, name, document } => tell(context, Asked::Claim { space, name, document }).await,
            What::Confirm { space, name } => tell(context, Asked::Confirm { space, name }).await,
            What::Put { space, path, value } => values::put(context, space, path, &value).await,
            What::Read { space, path } => values::read(context, space, path).await,
        }
    }
}

/// Shows what became of a name.
async fn tell(context: &Context, asked: Asked) -> Result<(), Failure> {
    let named: Named = context.ask(Request::Spaces(asked)).await?;
    context.output.record(&named, named.words())
}

async fn list(context: &Context) -> Result<(), Failure> {
    let listed: Vec<Listed> = context.ask(Request::List).await?;
    let spaces: Vec<Listed> = listed.into_iter().filter(|listed| listed.kind == KindName::Space).collect();
    Listed::print(&spaces, context, "no spaces yet; `pistol space new NAME` makes one, `pistol join TICKET` brings one")
}
