namespace Piku.Server.Ssh.Authentication;

/// <summary>Takes an option into account.</summary>
/// <param name="value">Without its quotes; null when the option has none.</param>
/// <exception cref="FormatException">The value is not one for this option.</exception>
internal delegate KeyOptions ApplyOption(KeyOptions options, string? value);

/// <summary>An option of authorized_keys that we honour.</summary>
internal sealed record KeyOption(string Name, ApplyOption Apply)
{
    /// <summary>
    /// All of them; of those that contradict each other the last counts, as for sshd. One that is not here disables
    /// its line: to ignore a restriction would be to lift it.
    /// </summary>
    public static IReadOnlyList<KeyOption> All { get; } =
    [
        Flag("restrict", options => options with { MayHaveTerminal = false, MayForwardPorts = false }),
        Flag("pty", options => options with { MayHaveTerminal = true }),
        Flag("no-pty", options => options with { MayHaveTerminal = false }),
        Flag("port-forwarding", options => options with { MayForwardPorts = true }),
        Flag("no-port-forwarding", options => options with { MayForwardPorts = false }),
        Value("permitopen", (options, value) => options with { PermittedTargets = options.PermittedTargets.Add(PermittedTarget.Parse(value)) }),
        Value("from", (options, value) => options with { From = options.From is null ? AddressPatterns.Parse(value) : throw Twice() }),
        Value("expiry-time", (options, value) => options with { Expiry = Earlier(options.Expiry, ExpiryTime.Parse(value)) }),
        Value("command", (options, value) => options with { Command = options.Command is null ? value : throw Twice() }),
        Value("environment", WithVariable),
        Flag("cert-authority", options => options with { IsAuthority = true }),
        Value("principals", (options, value) => options with { Principals = options.Principals.IsEmpty ? [.. Names(value)] : throw Twice() }),
        Flag("no-touch-required", options => options with { NeedsTouch = false }),
        Flag("verify-required", options => options with { NeedsVerification = true }),

        // What these allow or restrict is never offered, so that both are honoured.
        Flag("agent-forwarding", Unchanged), Flag("no-agent-forwarding", Unchanged),
        Flag("x11-forwarding", Unchanged), Flag("no-x11-forwarding", Unchanged),
        Flag("user-rc", Unchanged), Flag("no-user-rc", Unchanged),
        Value("permitlisten", (options, _) => options),
        Value("tunnel", (options, _) => options),
    ];

    public static KeyOption? Find(string name) =>
        All.FirstOrDefault(option => option.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static KeyOption Flag(string name, Func<KeyOptions, KeyOptions> apply) => new(name, (options, value) =>
        value is null ? apply(options) : throw new FormatException("it takes no value"));

    private static KeyOption Value(string name, Func<KeyOptions, string, KeyOptions> apply) => new(name, (options, value) =>
        apply(options, value ?? throw new FormatException("it needs a value")));

    private static KeyOptions Unchanged(KeyOptions options) => options;

    private static FormatException Twice() => new("it is there twice");

    private static DateTimeOffset Earlier(DateTimeOffset? one, DateTimeOffset other) => one < other ? one.Value : other;

    private static string[] Names(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries) is var names && names.All(name => name.Length > 0) ? names : throw new FormatException("it needs names");

    private static KeyOptions WithVariable(KeyOptions options, string text)
    {
        var name = text.Split('=', 2) is [var before, _] ? before : "";
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            throw new FormatException("it needs NAME=value");
        return options.Environment.ContainsKey(name)
            ? options
            : options with { Environment = options.Environment.Add(name, text[(name.Length + 1)..]) };
    }
}
