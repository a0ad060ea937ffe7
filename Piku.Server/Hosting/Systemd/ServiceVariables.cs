namespace Piku.Server.Hosting.Systemd;

/// <summary>What a service manager says to us in the environment, and to no child of ours.</summary>
internal static class ServiceVariables
{
    /// <summary>The value, which is gone then; null when there is none.</summary>
    public static string? Take(string variable)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, null);
        return value is { Length: > 0 } ? value : null;
    }
}
