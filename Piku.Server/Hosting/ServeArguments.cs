using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Server.Hosting;

/// <summary>The command line of <c>piku serve</c>.</summary>
/// <param name="Authorize">Public key files whose keys are let in.</param>
internal sealed record ServeArguments(ImmutableArray<string> Authorize)
{
    public const string Usage = "Usage: piku serve [--authorize FILE.pub]...";

    /// <exception cref="UserError">A word that is not understood.</exception>
    public static ServeArguments Parse(IReadOnlyList<string> arguments)
    {
        var files = ImmutableArray.CreateBuilder<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            files.Add(arguments[i] switch
            {
                "--authorize" when i + 1 < arguments.Count => arguments[++i],
                "--authorize" => throw new UserError($"--authorize needs the name of a public key file. {Usage}"),
                var word when word.StartsWith("--authorize=", StringComparison.Ordinal) => word["--authorize=".Length..],
                var word => throw new UserError($"'piku serve' does not know '{word}'. {Usage}"),
            });
        }
        return new(files.ToImmutable());
    }
}
