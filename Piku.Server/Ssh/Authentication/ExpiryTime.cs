using System.Globalization;

namespace Piku.Server.Ssh.Authentication;

/// <summary>The value of <c>expiry-time=</c> (sshd(8)): <c>YYYYMMDD[HHMM[SS]]</c> in the system's time zone, or in UTC with a <c>Z</c>.</summary>
internal static class ExpiryTime
{
    private static readonly string[] Formats = ["yyyyMMdd", "yyyyMMddHHmm", "yyyyMMddHHmmss"];

    /// <exception cref="FormatException">It is no such time.</exception>
    public static DateTimeOffset Parse(string text)
    {
        var isUtc = text.EndsWith('Z');
        if (!DateTime.TryParseExact(isUtc ? text[..^1] : text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            throw new FormatException("it needs a time as YYYYMMDD[HHMM[SS]][Z]");
        return new(time, isUtc ? TimeSpan.Zero : TimeZoneInfo.Local.GetUtcOffset(time));
    }
}
