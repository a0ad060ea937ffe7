using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Services;

/// <summary>What an nginx can do, as <c>nginx -V</c> tells.</summary>
/// <param name="Modules">Built-in modules, as configure names them: <c>http_v2_module</c>.</param>
/// <param name="ConfigFolder">The folder of the configuration it was built for, with <c>mime.types</c>.</param>
public sealed partial record NginxFacts(Version Version, ImmutableHashSet<string> Modules, string ConfigFolder)
{
    private static readonly Version Http2DirectiveSince = new(1, 25, 1);

    public bool HasHttp2 => Modules.Contains("http_v2_module");

    /// <summary>Whether it can take a client's address from what a proxy says.</summary>
    public bool HasRealIp => Modules.Contains("http_realip_module");

    /// <summary><c>http2 on;</c> instead of <c>listen … http2</c> (nginx 1.25.1).</summary>
    public bool HasHttp2Directive => HasHttp2 && Version >= Http2DirectiveSince;

    public static NginxFacts Parse(string text) => new(
        Version.Parse(VersionNumber().Match(text) is { Success: true } version
            ? version.Groups[1].Value
            : throw new UserError("'nginx -V' did not tell its version: is this nginx?")),
        [.. Module().Matches(text).Select(match => match.Groups[1].Value)],
        Path.GetDirectoryName(ConfigPath().Match(text).Groups[1].Value) is { Length: > 0 } folder ? folder : "/etc/nginx");

    /// <exception cref="UserError">nginx is not there.</exception>
    public static async Task<NginxFacts> ReadAsync(EnvMap environment, CancellationToken cancellationToken)
    {
        var run = await ChildProcess.CaptureAsync(
            new() { Program = "nginx", Arguments = ["-V"], Folder = "/", Environment = environment }, cancellationToken);
        return Parse(run.Error + run.Output);
    }

    [GeneratedRegex(@"nginx version: \S+/(\d+\.\d+\.\d+)")]
    private static partial Regex VersionNumber();

    [GeneratedRegex(@"--with-(\w+_module)\b(?!=dynamic)")]
    private static partial Regex Module();

    [GeneratedRegex(@"--conf-path=(\S+)")]
    private static partial Regex ConfigPath();
}
