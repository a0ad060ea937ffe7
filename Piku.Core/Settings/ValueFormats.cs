using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Piku.Core.Formats;

namespace Piku.Core.Settings;

/// <summary>The kinds of values that settings have. What passes one of these is safe to stand in a configuration.</summary>
public static partial class ValueFormats
{
    /// <summary>Yes and no in the words of <see cref="PikuBoolean"/>. To upstream all that is not yes is no, a slip of the finger too.</summary>
    public static readonly ValueFormat<bool> Boolean = new("true or false", (string text, out bool value) =>
    {
        value = PikuBoolean.IsTrue(text);
        return value || PikuBoolean.IsFalse(text);
    });

    public static readonly ValueFormat<string> Text = new("text", (string text, [MaybeNullWhen(false)] out string value) =>
    {
        value = text;
        return true;
    });

    public static readonly ValueFormat<string> Version = Matching("a version such as 3 or 3.12", VersionPattern());

    public static readonly ValueFormat<string> NodeVersion = Matching("a version such as 20.11.0, or lts", NodeVersionPattern());

    public static readonly ValueFormat<string> Command = Matching("a program's name and its flags", CommandPattern());

    public static readonly ValueFormat<string> RelativeFile = Matching("the path of a file in the app", FilePattern());

    public static readonly ValueFormat<string> RelativeFolder = Matching("the path of a folder in the repository", FilePattern());

    /// <summary>
    /// Host names in the order given, in the forms that nginx knows (server_name): a wildcard may be the first or the last
    /// label, <c>.example.com</c> is the name with all below it, <c>_</c> every name, and <c>~</c> begins a pattern.
    /// </summary>
    public static readonly ValueFormat<ImmutableArray<string>> HostNames =
        List("host names, separated by commas or spaces", IsHostName, ',', ' ') with { Advice = HostNameAdvice };

    /// <summary>Prefixes without the slash that they may begin with.</summary>
    public static readonly ValueFormat<ImmutableArray<string>> UrlPrefixes =
        List("prefixes of addresses such as /img,/thumbs", UrlPrefixPattern().IsMatch, ',');

    public static readonly ValueFormat<ImmutableArray<StaticMapping>> StaticMappings =
        new("mappings such as /url:path,/other:path", StaticMapping.TryReadList) { Advice = StaticMapping.Advice };

    /// <summary>As nginx reads sizes (ngx_parse_offset); 0 is no limit.</summary>
    public static readonly ValueFormat<string> Size = Matching("a size such as 20m, or 0 for no limit", SizePattern());

    public static readonly ValueFormat<string> Stickiness = Matching("address or cookie", StickinessPattern());

    public static readonly ValueFormat<string> UrlPath = Matching("the path of a file such as /index.html", UrlPathPattern());

    public static readonly ValueFormat<string> RequestTarget = Matching("an address such as /health", RequestTargetPattern());

    public static readonly ValueFormat<string> Folder = Matching("the absolute path of a folder", FolderPattern());

    public static readonly ValueFormat<string> Certifier =
        Matching("a name of acme.sh such as letsencrypt.org, or the https address of an ACME directory", CertifierPattern());

    public static readonly ValueFormat<string> Branch = Matching("the name of a branch", BranchPattern());

    public static readonly ValueFormat<string> Ipv4 = Address("an IPv4 address", AddressFamily.InterNetwork);

    /// <summary>In brackets, as nginx's <c>listen</c> wants it.</summary>
    public static readonly ValueFormat<string> Ipv6 = Address("an IPv6 address in brackets such as [::]", AddressFamily.InterNetworkV6);

    /// <summary>
    /// What a server can bind: an address, the IPv6 ones in brackets. No other name than localhost, since nginx does
    /// not start when one cannot be resolved.
    /// </summary>
    public static readonly ValueFormat<string> BindAddress = new("an IP address or localhost", (string text, [MaybeNullWhen(false)] out string value) =>
        Ipv4.TryRead(text, out value) || Ipv6.TryRead(text, out value) || TryMatch(LocalhostPattern(), text, out value));

    /// <summary>From the least that the kernel takes (1 ms of each 100).</summary>
    public static readonly ValueFormat<decimal> Cores = new("a number of cores from 0.01 to 1024, such as 0.5", (string text, out decimal value) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value is >= 0.01m and <= 1024);

    public static ValueFormat<int> Number(int from, int to) => new($"a number from {from} to {to}", (string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= from && value <= to);

    private static ValueFormat<string> Matching(string description, Regex pattern) =>
        new(description, (string text, [MaybeNullWhen(false)] out string value) => TryMatch(pattern, text, out value));

    private static bool TryMatch(Regex pattern, string text, [MaybeNullWhen(false)] out string value)
    {
        value = pattern.IsMatch(text) ? text : null;
        return value is not null;
    }

    private static ValueFormat<ImmutableArray<string>> List(string description, Func<string, bool> isItem, params char[] separators) =>
        new(description, (string text, out ImmutableArray<string> value) =>
        {
            value = [.. text.Split(separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
            return value.Length > 0 && value.All(isItem);
        });

    private static bool IsHostName(string text) => HostNamePattern().IsMatch(text) || (HostPatternPattern().IsMatch(text) && IsPattern(text[1..]));

    private static bool IsPattern(string text)
    {
        try
        {
            _ = new Regex(text);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>DNS and nginx know names only in ASCII (RFC 5891).</summary>
    private static string? HostNameAdvice(string text)
    {
        var international = text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(name => name.Any(c => c > 127));
        if (international is null)
            return null;
        try
        {
            var name = new IdnMapping().GetAscii(international.ToLowerInvariant());
            return IsHostName(name) ? $"Write {name} for {international}." : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static ValueFormat<string> Address(string description, AddressFamily family) =>
        new(description, (string text, [MaybeNullWhen(false)] out string value) =>
        {
            var bare = family is AddressFamily.InterNetworkV6 ? text.TrimStart('[').TrimEnd(']') : text;
            value = IPAddress.TryParse(bare, out var address) && address.AddressFamily == family && !bare.Contains('%', StringComparison.Ordinal)
                ? family is AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString()
                : null;
            return value is not null;
        });

    [GeneratedRegex(@"^\d+(\.\d+){0,2}\z")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9.-]*\z")]
    private static partial Regex NodeVersionPattern();

    [GeneratedRegex(@"^[A-Za-z@][\w@./-]*( +[\w@./:=,+-]+)*\z")]
    private static partial Regex CommandPattern();

    [GeneratedRegex(@"^(?![/~])(?!(.*/)?\.\.(/|\z))[^\0-\x1f]+\z")]
    private static partial Regex FilePattern();

    /// <summary>Lengths: RFC 1035, section 2.3.4.</summary>
    [GeneratedRegex(@"^(?!.{254})(\*\.|\.)?[\w-]{1,63}(\.[\w-]{1,63})*(\.\*)?\z", RegexOptions.ECMAScript)]
    private static partial Regex HostNamePattern();

    /// <summary>A named group would make a variable of nginx's, and there may be one of that name.</summary>
    [GeneratedRegex(@"^(?!.{254})(?!.*\(\?P?[<'][A-Za-z_])~[!-~]+\z")]
    private static partial Regex HostPatternPattern();

    [GeneratedRegex(@"^\d{1,9}[kKmMgG]?\z", RegexOptions.ECMAScript)]
    private static partial Regex SizePattern();

    [GeneratedRegex(@"^(address|cookie)\z")]
    private static partial Regex StickinessPattern();

    [GeneratedRegex(@"^/?[A-Za-z0-9._~@/-]+\z")]
    private static partial Regex UrlPrefixPattern();

    [GeneratedRegex(@"^(?!(.*/)?\.\.(/|\z))/?[A-Za-z0-9._~@/-]+\z")]
    private static partial Regex UrlPathPattern();

    /// <summary>The origin form of RFC 9112, section 3.2.1, as far as it can stand in a request line.</summary>
    [GeneratedRegex(@"^/[!-~]*\z")]
    private static partial Regex RequestTargetPattern();

    [GeneratedRegex(@"^/[^\0-\x1f$]*\z")]
    private static partial Regex FolderPattern();

    [GeneratedRegex(@"^(https://)?[A-Za-z0-9][A-Za-z0-9._:/-]*\z")]
    private static partial Regex CertifierPattern();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9._/-]*\z")]
    private static partial Regex BranchPattern();

    [GeneratedRegex(@"^localhost\z")]
    private static partial Regex LocalhostPattern();
}
