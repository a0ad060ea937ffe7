using Piku.Core.Model;
using Tomlyn;
using Tomlyn.Model;
using Tomlyn.Parsing;
using Tomlyn.Serialization;

namespace Piku.Core.Formats;

/// <summary>
/// TOML 1.0 documents: <c>piku.toml</c>, <c>pyproject.toml</c>, <c>Cargo.toml</c>. What TOML 1.1 adds (line breaks and a
/// last comma in inline tables, times without seconds) is read too.
/// </summary>
public static class Toml
{
    /// <summary>
    /// The document as tables, arrays, <see cref="string"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>
    /// and <see cref="TomlDateTime"/>.
    /// </summary>
    /// <exception cref="UserError">Not TOML; the message names file, line and column, counted from 1.</exception>
    public static TomlTable Parse(string text, string fileName)
    {
        try
        {
            // Making the model alone lets a table or key be defined twice; the syntax's validation does not.
            var document = SyntaxParser.Parse(text, fileName, validate: true);
            if (document.Diagnostics.FirstOrDefault() is { } problem)
                throw Wrong(fileName, problem.Span.Start.Line + 1, problem.Span.Start.Column + 1, problem.Message);
            return TomlSerializer.Deserialize(text, TomlModel.Default.TomlTable) ?? [];
        }
        catch (TomlException error)
        {
            throw Wrong(fileName, error.Line ?? 1, error.Column ?? 1, error.InnerException?.Message ?? error.Message);
        }
    }

    private static UserError Wrong(string fileName, int line, int column, string problem) =>
        new($"{fileName} line {line}, column {column}: {problem.ReplaceLineEndings(" ").TrimEnd('.', ' ')}.");
}

/// <summary>Generated readers, in place of reflection, so that the program can be trimmed.</summary>
[TomlSerializable(typeof(TomlTable))]
internal sealed partial class TomlModel : TomlSerializerContext;
