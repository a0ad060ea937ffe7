namespace Piku.Server.Ssh.Authentication;

/// <summary>Takes an option into account.</summary>
/// <param name="value">Without its quotes; null when the option has none.</param>
/// <exception cref="FormatException">The value is not one for this option.</exception>
internal delegate KeyOptions ApplyOption(KeyOptions options, string? value);

/// <summary>An option of authorized_keys that we honour.</summary>
internal sealed record KeyOption(string Name, ApplyOption Apply)
{
    /// <summary>All of them. One that is not here disables its line: to ignore a restriction would be to lift it.</summary>
    public static IReadOnlyList<KeyOption> All { get; } =
    [
        Flag("restrict"),
        Flag("pty"), Flag("no-pty"),
        Flag("port-forwarding"), Flag("no-port-forwarding"),
        Flag("agent-forwarding"), Flag("no-agent-forwarding"),
        Flag("x11-forwarding"), Flag("no-x11-forwarding"),
        Flag("user-rc"), Flag("no-user-rc"),
        Flag("no-touch-required"), Flag("verify-required"),
        new("command", (options, value) => options with { Command = options.Command is null ? Needed(value) : throw Twice() }),
        new("environment", (options, value) => WithVariable(options, Needed(value))),
    ];

    public static KeyOption? Find(string name) =>
        All.FirstOrDefault(option => option.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static KeyOption Flag(string name) => new(name, (options, value) =>
        value is null ? options with { Flags = options.Flags.Add(name) } : throw new FormatException("it takes no value"));

    private static string Needed(string? value) => value ?? throw new FormatException("it needs a value");

    private static FormatException Twice() => new("it is there twice");

    private static KeyOptions WithVariable(KeyOptions options, string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
            throw new FormatException("it needs NAME=value");
        var name = text[..equals];
        return options.Environment.ContainsKey(name)
            ? options
            : options with { Environment = options.Environment.Add(name, text[(equals + 1)..]) };
    }
}
