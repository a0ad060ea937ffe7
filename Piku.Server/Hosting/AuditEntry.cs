using System.Text.Json.Serialization;

namespace Piku.Server.Hosting;

/// <summary>One line of <c>audit/audit.jsonl</c>. What does not apply is not there.</summary>
/// <param name="Time">When it was over, in UTC.</param>
/// <param name="Event"><c>refused</c>, <c>blocked</c>, <c>login</c>, <c>command</c>, <c>forward</c> or <c>connection</c>; the last three when it is over.</param>
/// <param name="Id">The connection, and for a command the session on it, as in the log.</param>
/// <param name="Address">Where the client is.</param>
/// <param name="Name">Whose key it was.</param>
/// <param name="Fingerprint">Of that key.</param>
internal sealed record AuditEntry(DateTimeOffset Time, string Event, string? Id, string Address, string? Name, string? Fingerprint)
{
    /// <summary>What was asked, without the values of settings.</summary>
    public string? Command { get; init; }

    public string? App { get; init; }

    /// <summary>The exit status; missing when the client went away first.</summary>
    public int? Status { get; init; }

    /// <summary>The client's version line.</summary>
    public string? Client { get; init; }

    /// <summary>Why the connection ended, or was refused.</summary>
    public string? Outcome { get; init; }

    /// <summary>Where a forwarded connection went, or should have: <c>localhost:5432</c>.</summary>
    public string? Target { get; init; }

    /// <summary>Bytes that a forwarded connection carried to the client.</summary>
    public long? Sent { get; init; }

    /// <summary>Bytes that it carried from the client.</summary>
    public long? Received { get; init; }

    /// <summary>As many more were refused for the same reason since the last such line.</summary>
    public int? More { get; init; }

    /// <summary>How long it took, or how long an address is blocked.</summary>
    public double? Seconds { get; init; }
}

[JsonSerializable(typeof(AuditEntry))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class AuditJson : JsonSerializerContext;
