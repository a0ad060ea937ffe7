using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Piku.Core.Model;

/// <summary>What a process of an app was started for.</summary>
public enum ProcessPurpose
{
    /// <summary>By the emperor, as a worker of the version that runs, or did.</summary>
    Worker,

    /// <summary>By a deploy: preflight, the tools that build, release.</summary>
    Build,

    /// <summary>By somebody's <c>run</c>.</summary>
    Run,
}

/// <summary>
/// A number that says whose a process is. It is the process's soft limit of file locks (RLIMIT_LOCKS), which Linux has
/// not looked at since 2.4.25 (setrlimit(2)), which every process inherits through fork, exec, setsid and an emptied
/// environment, and which proc(5) shows of every process. See docs/decisions, 61.
/// </summary>
/// <remarks>
/// 8 bits that no real limit begins with, 34 of a hash of installation and app, 2 of the purpose, 20 that tell one version,
/// build or run of the app from another.
/// </remarks>
public readonly record struct ProcessMark(ulong Number)
{
    private const ulong Tag = 0x2A;
    private const int TagShift = 56, OwnerShift = 22, PurposeShift = 20;
    private const ulong OwnerMask = (1UL << 34) - 1, PurposeMask = 3;

    /// <summary>As the lines of <c>/proc/PID/limits</c> call the limit.</summary>
    private const string Limit = "Max file locks";

    /// <summary>Versions, builds or runs of one app that can be told apart.</summary>
    public const int Versions = 1 << PurposeShift;

    public ProcessPurpose Purpose => (ProcessPurpose)((Number >> PurposeShift) & PurposeMask);

    /// <param name="root">Of the installation.</param>
    /// <param name="version">Below <see cref="Versions"/>.</param>
    public static ProcessMark Of(string root, AppName app, ProcessPurpose purpose, int version) =>
        new((Tag << TagShift) | (OwnerOf(root, app) << OwnerShift) | ((ulong)purpose << PurposeShift) | (uint)version);

    /// <summary>The mark in the text of <c>/proc/PID/limits</c>; null for a process without one.</summary>
    public static ProcessMark? Read(string limits)
    {
        foreach (var line in limits.AsSpan().EnumerateLines())
        {
            if (!line.StartsWith(Limit, StringComparison.Ordinal))
                continue;
            var rest = line[Limit.Length..].TrimStart();
            var end = rest.IndexOf(' ');
            return end > 0 && ulong.TryParse(rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >> TagShift == Tag
                ? new(number)
                : null;
        }
        return null;
    }

    public bool IsOf(string root, AppName app) => ((Number >> OwnerShift) & OwnerMask) == OwnerOf(root, app);

    private static ulong OwnerOf(string root, AppName app) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{root}\0{app}"))) & OwnerMask;
}
