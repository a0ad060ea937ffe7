using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Authentication;

/// <param name="Line">Counted from 1.</param>
/// <param name="Message">What is wrong with it.</param>
internal sealed record AuthorizedKeysProblem(int Line, string Message);

/// <summary>What the owner of the server makes of a line: of the command that it forces, of the variables that it sets.</summary>
/// <exception cref="FormatException">It cannot be honoured; the message says why.</exception>
internal delegate void CheckKeyLine(AuthorizedKey key);

/// <summary>
/// The content of an authorized_keys file (sshd(8)): <c>[options] type base64 [comment]</c> a line, <c>#</c> for a
/// comment. A line that cannot be honoured as it stands is a problem, and no key. As for sshd only LF ends a line: with
/// another end, such as Unicode's, the comment in somebody's public key could hold a second key that nobody saw.
/// </summary>
internal sealed record AuthorizedKeysText(IReadOnlyList<AuthorizedKey> Keys, IReadOnlyList<AuthorizedKeysProblem> Problems)
{
    public static readonly AuthorizedKeysText Empty = new([], []);

    /// <param name="text">Anything at all.</param>
    /// <param name="passThrough">The one program that a command may pass requests on to; see <see cref="ForcedCommand"/>.</param>
    /// <param name="check">Judges lines that are well formed; without it, none may force a command.</param>
    public static AuthorizedKeysText Parse(string text, string? passThrough, CheckKeyLine? check = null)
    {
        var keys = new List<AuthorizedKey>();
        var problems = new List<AuthorizedKeysProblem>();
        var number = 0;
        foreach (var line in text.AsSpan().Split('\n'))
        {
            number++;
            var content = text.AsSpan(line).TrimEnd('\r').Trim(Blanks);
            if (content.IsEmpty || content[0] == '#')
                continue;
            try
            {
                var key = ParseLine(content, number, passThrough);
                (check ?? RefuseForcedCommand)(key);
                keys.Add(key);
            }
            catch (Exception e) when (e is FormatException or SshProtocolException)
            {
                problems.Add(new(number, e.Message));
            }
        }
        return new(keys, problems);
    }

    private const string Blanks = " \t";

    private static AuthorizedKey ParseLine(ReadOnlySpan<char> line, int number, string? passThrough)
    {
        // Options come first when the line does not begin with a type, as for sshd.
        var rest = line;
        var options = KeyOptions.None;
        if (UserKeyType.Find(Word(ref rest)) is not { } type)
        {
            rest = line;
            options = ParseOptions(ref rest);
            var name = Word(ref rest);
            type = UserKeyType.Find(name) ?? throw new FormatException($"keys of type '{Printable(name)}' are not supported");
        }
        var blob = Blob(Word(ref rest), type);
        var comment = Printable(rest.Trim(Blanks).ToString());
        var forced = ForcedCommand.Read(options.Command, passThrough);
        return new(type, blob, FirstOf(forced.Name, comment, Fingerprints.Of(blob)), comment, options, number) { ForcedCommand = forced.Line };
    }

    /// <summary>The <see cref="CheckKeyLine"/> of a server that has none of its own.</summary>
    public static void RefuseForcedCommand(AuthorizedKey key)
    {
        if (key.ForcedCommand is not null)
            throw new FormatException("a forced command is not supported");
    }

    // option[="value"], separated by commas and ended by a blank; in quotes \" stands for a quote.
    private static KeyOptions ParseOptions(ref ReadOnlySpan<char> rest)
    {
        var options = KeyOptions.None;
        while (true)
        {
            var length = rest.IndexOfAny("=, \t");
            var name = (length < 0 ? rest : rest[..length]).ToString();
            rest = rest[name.Length..];
            var value = rest.StartsWith("=") ? Quoted(ref rest, name) : null;
            var option = KeyOption.Find(name) ?? throw new FormatException($"the option '{Printable(name)}' is not supported");
            try
            {
                options = option.Apply(options, value);
            }
            catch (FormatException e)
            {
                throw new FormatException($"the option '{option.Name}': {e.Message}", e);
            }
            if (!rest.StartsWith(","))
                break;
            rest = rest[1..];
        }
        if (!options.Principals.IsEmpty && !options.IsAuthority)
            throw new FormatException("the option 'principals': it needs 'cert-authority'");
        return rest.IsEmpty || Blanks.Contains(rest[0], StringComparison.Ordinal)
            ? options
            : throw new FormatException("the options are not separated from the key");
    }

    private static string Quoted(ref ReadOnlySpan<char> rest, string name)
    {
        if (!rest.StartsWith("=\""))
            throw new FormatException($"the value of the option '{Printable(name)}' is not in quotes");
        for (var i = 2; i < rest.Length; i++)
        {
            if (rest[i] != '"' || rest[i - 1] == '\\')
                continue;
            var value = rest[2..i].ToString().Replace("\\\"", "\"", StringComparison.Ordinal);
            rest = rest[(i + 1)..];
            return value;
        }
        throw new FormatException($"the value of the option '{Printable(name)}' has no end");
    }

    private static byte[] Blob(string base64, UserKeyType type)
    {
        var blob = new byte[(base64.Length * 3 / 4) + 1];
        if (base64.Length == 0 || !Convert.TryFromBase64String(base64, blob, out var length))
            throw new FormatException("the key is not valid base64");
        var reader = new SshReader(blob.AsSpan(0, length));
        if (reader.ReadName() != type.Name)
            throw new FormatException("the key is not of the type that the line says");
        type.Check(ref reader);
        reader.End();
        return blob[..length];
    }

    private static string Word(ref ReadOnlySpan<char> rest)
    {
        rest = rest.TrimStart(Blanks);
        var length = rest.IndexOfAny(Blanks);
        var word = (length < 0 ? rest : rest[..length]).ToString();
        rest = rest[word.Length..];
        return word;
    }

    private static string FirstOf(params ReadOnlySpan<string?> names)
    {
        foreach (var name in names)
        {
            if (!string.IsNullOrEmpty(name))
                return name;
        }
        return "";
    }

    // Names and comments end in logs and on terminals.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
