using System.Globalization;

namespace Piku.Server.Ssh.Admission;

/// <summary>
/// Random early drop, as sshd's MaxStartups (sshd_config(5)): up to <paramref name="Start"/> starting connections
/// everybody is let in; from there the chance to be refused grows from <paramref name="Rate"/> percent to certainty at
/// <paramref name="Full"/>.
/// </summary>
internal sealed record Startups(int Start, int Rate, int Full)
{
    /// <summary>Bounds a mistake: each costs some 35 KB.</summary>
    public const int Most = 10_000;

    /// <summary>Reads <c>start:rate:full</c>; null when the text is none.</summary>
    public static Startups? TryParse(string text) =>
        text.Split(':') is [var start, var rate, var full]
        && Number(start) is { } first && Number(rate) is { } percent && Number(full) is { } last
        && first is > 0 && first <= last && last <= Most && percent is > 0 and <= 100
            ? new(first, percent, last)
            : null;

    /// <summary>From 0 to 1, when so many are starting already.</summary>
    public double ChanceOfRefusal(int starting) =>
        starting >= Full ? 1
        : starting < Start ? 0
        : (Rate + ((100.0 - Rate) * (starting - Start) / (Full - Start))) / 100;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Start}:{Rate}:{Full}");

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
