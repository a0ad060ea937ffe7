using System.Collections.Immutable;
using System.IO.Enumeration;
using Piku.Core.Model;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Commands;

/// <summary>What a caller must have the right to, for a verb to run.</summary>
internal enum Right
{
    /// <summary>Nothing: what anybody may see whose key lets them in.</summary>
    None,

    /// <summary>To look at an app: its code, logs, processes and the names of its settings.</summary>
    Read,

    /// <summary>To change what an app is and does, and to read its secrets. Its code can, so who pushes code can.</summary>
    Deploy,

    /// <summary>To remove an app.</summary>
    Destroy,

    /// <summary>To decide for all apps, and who may come in.</summary>
    Administer,
}

/// <summary>PIKU_ROLE: how much a key may do. Each may do what those before it may.</summary>
internal enum Role
{
    Reader,
    Deployer,
    Admin,
}

/// <summary>
/// What a key may do, and to which apps: PIKU_ROLE and PIKU_APPS, which stand as <c>environment=</c> options in its
/// line of authorized_keys, so that the file stays one that sshd reads. <see cref="CommandRouter"/> asks for every
/// verb what this says.
/// </summary>
/// <param name="Role">How much.</param>
/// <param name="Apps">Patterns of app names, with <c>*</c> for any letters; empty for all apps.</param>
internal sealed record Rights(Role Role, ImmutableArray<string> Apps)
{
    public const string RoleVariable = "PIKU_ROLE", AppsVariable = "PIKU_APPS";

    /// <summary>Those of a key whose line says nothing, and of whoever works on the server itself.</summary>
    public static readonly Rights All = new(Role.Admin, []);

    /// <summary>Whether ports may be forwarded: to reach a port of one app is to reach those of all.</summary>
    public bool MayForward { get; private init; } = Role is Role.Admin && Apps.IsEmpty;

    /// <summary>The rights of a key.</summary>
    /// <exception cref="FormatException">A role or a pattern is none; nothing may be read into it.</exception>
    public static Rights Of(KeyOptions options)
    {
        var rights = new Rights(
            options.Environment.TryGetValue(RoleVariable, out var role) ? ParseRole(role) : Role.Admin,
            options.Environment.TryGetValue(AppsVariable, out var apps) ? ParseApps(apps) : []);
        // A line that names its targets means it, whatever its role.
        return rights with { MayForward = options.MayForwardPorts && (rights.MayForward || !options.PermittedTargets.IsEmpty) };
    }

    /// <exception cref="FormatException">There is no such role.</exception>
    public static Role ParseRole(string text) => text switch
    {
        "admin" => Role.Admin,
        "deployer" => Role.Deployer,
        "reader" => Role.Reader,
        _ => throw new FormatException($"there is no role '{Printable.Text(text)}': it is admin, deployer or reader"),
    };

    /// <summary>Reads patterns that blanks or commas separate.</summary>
    /// <exception cref="FormatException">One of them can name no app, or there is none: that is not "all".</exception>
    public static ImmutableArray<string> ParseApps(string text)
    {
        var patterns = text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        if (patterns.FirstOrDefault(pattern => !AppName.TryParse(pattern.Replace('*', 'x'), out _)) is { } wrong)
            throw new FormatException($"'{Printable.Text(wrong)}' is not the name of an app, nor a pattern of names such as shop-*");
        return patterns.Length > 0 ? [.. patterns] : throw new FormatException($"{AppsVariable} names no app");
    }

    public bool MaySee(AppName app) =>
        Apps.IsEmpty || Apps.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, app.Value, ignoreCase: false));

    public bool MayRead(AppName app) => Has(Right.Read) && MaySee(app);

    public bool MayWrite(AppName app) => Has(Right.Deploy) && MaySee(app);

    /// <summary>Whether the role has this right. For which apps is another question: <see cref="MaySee"/>.</summary>
    public bool Has(Right right) => right switch
    {
        Right.None or Right.Read => true,
        Right.Deploy => Role >= Role.Deployer,
        Right.Destroy => Role is Role.Admin,
        _ => Role is Role.Admin && Apps.IsEmpty,
    };

    /// <summary>Refuses what these rights do not include.</summary>
    /// <param name="what">What was asked for, for the sentence.</param>
    /// <param name="app">The app that it is about; null when it is about none.</param>
    /// <exception cref="UserError">It is refused; the sentence says who may.</exception>
    public void Demand(Right right, AppName? app, string what)
    {
        if (app is not null && !MaySee(app))
            throw new UserError($"your key is for the apps {string.Join(' ', Apps)}, not for '{app}'. Keys without that limit may: ask an admin.");
        if (!Has(right))
            throw new UserError($"your key has the role {Name(Role)}{(Apps.IsEmpty ? "" : " for some apps")}. '{what}' is for {WhoHas(right)}.");
    }

    public static string Name(Role role) => role switch
    {
        Role.Reader => "reader",
        Role.Deployer => "deployer",
        _ => "admin",
    };

    private static string WhoHas(Right right) => right switch
    {
        Right.Deploy => "deployers and admins",
        Right.Destroy => "admins",
        _ => "admins of all apps",
    };
}
