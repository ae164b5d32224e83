//! How much there is in a component to compile.
//!
//! Compiling takes time and memory by what there is, and for one function by more than its length.
//! Nothing interrupts it, so what would take long is refused before it begins.

use wasmparser::{
    BinaryReaderError, CompositeInnerType, FunctionBody, FunctionSectionReader, Operator, Payload,
    TypeSectionReader,
};

use super::InspectError;
use crate::limits;

/// What has been seen of a component, its modules and components together.
#[derive(Debug, Default)]
pub(super) struct Extent {
    parts: u64,
    functions: u64,
    code_bytes: u64,
    merges: u64,
    items: u64,
    module: Module,
}

/// What the module that is being read has said of its functions.
#[derive(Debug, Default)]
struct Module {
    /// Parameters by type.
    parameters: Vec<u64>,
    /// Types by function that has a body.
    types: Vec<u32>,
    bodies: usize,
}

impl Extent {
    /// Counts what one part of the component has.
    ///
    /// # Errors
    ///
    /// There is more than is compiled, or it cannot be read.
    pub(super) fn add(&mut self, part: &Payload<'_>) -> Result<(), InspectError> {
        self.items += items(part);
        within(
            "types, imports, exports, instances and the like",
            self.items,
            limits::MODULE_ITEMS,
        )?;
        match part {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.parts += 1;
                self.module = Module::default();
                within(
                    "modules and components in it",
                    self.parts,
                    limits::MODULE_PARTS,
                )
            }
            Payload::TypeSection(types) => self.module.read_types(types.clone()),
            Payload::FunctionSection(functions) => self.module.read_functions(functions.clone()),
            Payload::CodeSectionStart { count, size, .. } => {
                self.functions += u64::from(*count);
                within("functions", self.functions, limits::MODULE_FUNCTIONS)?;
                self.code_bytes += u64::from(*size);
                within("bytes of code", self.code_bytes, limits::MODULE_CODE_BYTES)
            }
            Payload::CodeSectionEntry(body) => {
                let merges = merges(body, self.module.parameters_of_next())?;
                within("merges in one function", merges, limits::FUNCTION_MERGES)?;
                self.merges += merges;
                within("merges", self.merges, limits::MODULE_MERGES)
            }
            _ => Ok(()),
        }
    }
}

/// Ways that a loop counts as: its values come around again, so that a compiler looks at more.
const LOOP_MEETINGS: u64 = 8;

impl Module {
    fn read_types(&mut self, types: TypeSectionReader<'_>) -> Result<(), InspectError> {
        for group in types {
            for ty in group.map_err(unreadable)?.types() {
                self.parameters.push(match &ty.composite_type.inner {
                    CompositeInnerType::Func(function) => function.params().len() as u64,
                    _ => 0,
                });
            }
        }
        Ok(())
    }

    fn read_functions(&mut self, functions: FunctionSectionReader<'_>) -> Result<(), InspectError> {
        within(
            "functions",
            functions.count().into(),
            limits::MODULE_FUNCTIONS,
        )?;
        self.types = functions
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        Ok(())
    }

    fn parameters_of_next(&mut self) -> u64 {
        let ty = self.types.get(self.bodies).copied().unwrap_or_default();
        self.bodies += 1;
        let parameters = self.parameters.get(ty as usize);
        parameters.copied().unwrap_or_default()
    }
}

/// The places in a function where ways meet, times what may have another value on each: a compiler
/// looks at every one.
fn merges(body: &FunctionBody<'_>, parameters: u64) -> Result<u64, InspectError> {
    let bytes = body.range().len() as u64;
    within("bytes in one function", bytes, limits::FUNCTION_BYTES)?;
    let mut locals = parameters;
    for run in body.get_locals_reader().map_err(unreadable)? {
        let (count, _) = run.map_err(unreadable)?;
        locals = locals.saturating_add(count.into());
    }
    within("locals in one function", locals, limits::FUNCTION_LOCALS)?;
    let mut meetings = 0_u64;
    for operator in body.get_operators_reader().map_err(unreadable)? {
        let operator = operator.map_err(unreadable)?;
        meetings += match operator {
            Operator::Loop { .. } => LOOP_MEETINGS,
            Operator::Block { .. }
            | Operator::If { .. }
            | Operator::BrTable { .. }
            | Operator::TryTable { .. } => 1,
            _ => 0,
        };
    }
    Ok(meetings.saturating_mul(locals))
}

fn unreadable(error: BinaryReaderError) -> InspectError {
    InspectError::Malformed(error.to_string())
}

/// What is neither code nor data, by its number.
fn items(part: &Payload<'_>) -> u64 {
    u64::from(match part {
        Payload::TypeSection(items) => items.count(),
        Payload::ImportSection(items) => items.count(),
        Payload::TableSection(items) => items.count(),
        Payload::MemorySection(items) => items.count(),
        Payload::GlobalSection(items) => items.count(),
        Payload::ExportSection(items) => items.count(),
        Payload::ElementSection(items) => items.count(),
        Payload::DataSection(items) => items.count(),
        Payload::InstanceSection(items) => items.count(),
        Payload::CoreTypeSection(items) => items.count(),
        Payload::ComponentInstanceSection(items) => items.count(),
        Payload::ComponentAliasSection(items) => items.count(),
        Payload::ComponentTypeSection(items) => items.count(),
        Payload::ComponentCanonicalSection(items) => items.count(),
        Payload::ComponentImportSection(items) => items.count(),
        Payload::ComponentExportSection(items) => items.count(),
        _ => 0,
    })
}

fn within(what: &'static str, given: u64, most: u64) -> Result<(), InspectError> {
    if given > most {
        return Err(InspectError::TooMuch { what, given, most });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
