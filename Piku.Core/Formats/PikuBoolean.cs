namespace Piku.Core.Formats;

/// <summary>How a setting says yes and no.</summary>
public static class PikuBoolean
{
    /// <summary>True for <c>1 on true enabled yes y</c> in any case; false for everything else, null included.</summary>
    public static bool IsTrue(string? value) =>
        value?.ToLowerInvariant() is "1" or "on" or "true" or "enabled" or "yes" or "y";

    /// <summary>True for <c>0 off false disabled no n</c> in any case. What is neither yes nor no is a mistake.</summary>
    public static bool IsFalse(string? value) =>
        value?.ToLowerInvariant() is "0" or "off" or "false" or "disabled" or "no" or "n";
}
