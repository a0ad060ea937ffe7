namespace Piku.Core.Formats;

/// <summary>How a setting says yes.</summary>
public static class PikuBoolean
{
    /// <summary>True for <c>1 on true enabled yes y</c> in any case; false for everything else, null included.</summary>
    public static bool IsTrue(string? value) =>
        value?.ToLowerInvariant() is "1" or "on" or "true" or "enabled" or "yes" or "y";
}
