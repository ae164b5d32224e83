//! A call that can be made as often as the checks need it.

use std::any::type_name;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use umari::command::{Command, CommandContext, ExecuteOutput};
use umari::decider::Decider;
use umari::domain_id::{DomainIds, FromDomainIds};

use crate::given::short;
use crate::never::Never;
use crate::report::{Report, Verdict};

/// The input of a command under test: it can be sent as JSON and read back.
///
/// The checks call a command several times, and need its input as often.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the input of `when`",
    label = "not `Serialize` and `Deserialize`",
    note = "the automatic checks call the command several times, so its input travels as JSON: \
            derive `Serialize` and `Deserialize`, or write `.when_called(|context| command(Input {{ .. }}, context))`"
)]
pub trait CommandInput: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> CommandInput for T {}

/// A command under test: `Fn(I, CommandContext) -> Result<ExecuteOutput, E>`, an exported function or one of
/// your own.
#[diagnostic::on_unimplemented(
    message = "`when` takes a command, which `{Self}` is not",
    label = "not `fn(Input, CommandContext) -> Result<ExecuteOutput, _>`",
    note = "a command takes its input and a `CommandContext`, and returns `anyhow::Result<ExecuteOutput>`: what `Command::execute` \
            returns, not the events; anything else can be called by `.when_called(|context| ..)`"
)]
pub trait CommandFunction<I, E>: Fn(I, CommandContext) -> Result<ExecuteOutput, E> {}

#[diagnostic::do_not_recommend]
impl<F, I, E> CommandFunction<I, E> for F where F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> {}

// See `Never`: without it, the compiler would speak of `Fn`.
#[diagnostic::do_not_recommend]
impl<F, I, E> CommandFunction<I, E> for F
where
    F: Fn(I, CommandContext) -> Result<ExecuteOutput, E>,
    for<'a> &'a (): Never,
    F: CommandFunction<I, E>,
{
}

type Function = dyn Fn(CommandContext) -> anyhow::Result<ExecuteOutput>;

/// A command with its input.
#[derive(Clone)]
pub(crate) struct Call {
    name: Rc<str>,
    #[cfg(feature = "component")]
    path: &'static str,
    /// The input as JSON text; empty where there is none to show.
    input: Rc<str>,
    /// Why the input does not survive JSON.
    input_fault: Option<Rc<str>>,
    function: Rc<Function>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Call {
    /// As it is written in Rust, with the input as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.input)
    }
}

impl Call {
    /// A command with a typed input: the input itself at first, its JSON from then on.
    pub(crate) fn new<F, I, E>(command: F, input: I) -> Self
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
        I: CommandInput,
        E: Into<anyhow::Error>,
    {
        let text = serde_json::to_string(&input);
        let input_fault = match &text {
            Ok(text) => input_fault::<I>(text),
            Err(error) => Some(error.to_string()),
        };
        let text: Rc<str> = text.unwrap_or_default().into();
        let json = Rc::clone(&text);
        let first = RefCell::new(Some(input));
        let function = move |context: CommandContext| {
            let input = match first.borrow_mut().take() {
                Some(input) => input,
                None => serde_json::from_str(&json)?,
            };
            command(input, context).map_err(Into::into)
        };
        Self {
            name: function_name::<F>().into(),
            #[cfg(feature = "component")]
            path: type_name::<F>(),
            input: text,
            input_fault: input_fault.map(Into::into),
            function: Rc::new(function),
        }
    }

    /// A command whose input the wire decodes.
    pub(crate) fn json<F, I, E>(command: F, input: String) -> Self
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
        I: DeserializeOwned + 'static,
        E: Into<anyhow::Error>,
    {
        let json: Rc<str> = input.into();
        let text = Rc::clone(&json);
        let function = move |context: CommandContext| {
            let input = umari::command::decode_input::<I>(&text)?;
            command(input, context).map_err(Into::into)
        };
        Self {
            name: function_name::<F>().into(),
            #[cfg(feature = "component")]
            path: type_name::<F>(),
            input: json,
            input_fault: None,
            function: Rc::new(function),
        }
    }

    /// Whatever a closure calls.
    pub(crate) fn closure<E: Into<anyhow::Error>>(
        call: impl Fn(CommandContext) -> Result<ExecuteOutput, E> + 'static,
    ) -> Self {
        Self {
            name: "|context| ..".into(),
            #[cfg(feature = "component")]
            path: "{{closure}}",
            input: "".into(),
            input_fault: None,
            function: Rc::new(move |context| call(context).map_err(Into::into)),
        }
    }

    /// What `Command::decide` does, under the name of the decider.
    pub(crate) fn decider<D>(input: D::Input) -> Self
    where
        D: Decider + FromDomainIds<Args = ()>,
        D::Input: CommandInput + DomainIds,
    {
        let decide = |input: D::Input, context| Command::new(input, context).decide::<D>();
        Self {
            name: format!("{}::decide", short(type_name::<D>())).into(),
            ..Self::new(decide, input)
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The path of the function; that of the test, and more, for a closure.
    #[cfg(feature = "component")]
    pub(crate) fn path(&self) -> &'static str {
        self.path
    }

    /// The input as JSON text; empty where there is none to show.
    pub(crate) fn input(&self) -> &str {
        &self.input
    }

    pub(crate) fn make(&self, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        (self.function)(context)
    }

    /// The input has to survive JSON, or production sees another one than the test.
    pub(crate) fn check_input(&self) -> Verdict {
        match &self.input_fault {
            None => Ok(()),
            Some(fault) => Err(Box::new(
                Report::new(format!(
                    "the input of `{}` does not survive JSON",
                    self.name
                ))
                .section("input", &*self.input)
                .cause(&**fault)
                .fix("make its `Serialize` and `Deserialize` inverse to each other"),
            )),
        }
    }
}

fn input_fault<I: CommandInput>(text: &str) -> Option<String> {
    let again = serde_json::from_str::<I>(text)
        .and_then(|input| serde_json::to_string(&input))
        .map_err(|error| error.to_string());
    match again {
        Err(error) => Some(error),
        Ok(again) if again == text => None,
        // Maps may come back in another order.
        Ok(again) if crate::events::json(&again) == crate::events::json(text) => None,
        Ok(again) => Some(format!("it comes back as {again}")),
    }
}

/// `create_plan::execute`: the module tells commands apart, since most are called `execute`.
pub(crate) fn function_name<F>() -> String {
    let name = type_name::<F>();
    if name.contains("{{closure}}") {
        return "|input, context| ..".to_owned();
    }
    let segments: Vec<_> = name.split("::").collect();
    match segments.as_slice() {
        [.., module, "execute"] => format!("{module}::execute"),
        _ => short(name),
    }
}
