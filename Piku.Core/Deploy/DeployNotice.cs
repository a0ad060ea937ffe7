using System.Text.Json;
using System.Text.Json.Serialization;

namespace Piku.Core.Deploy;

/// <summary>What everybody may know of a deploy that is under way or waits.</summary>
/// <param name="App">The app's name.</param>
/// <param name="Purpose">"push", "deploy", "config", "scale", "restart".</param>
/// <param name="By">Who wants it.</param>
/// <param name="Since">When it came.</param>
/// <param name="Step">The last that its owner was told: "Running pip".</param>
/// <param name="Place">What it has and what it waits for.</param>
/// <param name="CancelledBy">Who ends it; null as long as nobody does.</param>
public sealed record DeployNotice(
    string App, string Purpose, string By, DateTimeOffset Since, string Step, DeployPlace Place, string? CancelledBy = null)
{
    /// <summary>"push of shop by alice".</summary>
    public override string ToString() => $"{Purpose} of {App} by {By}";

    internal string Write() => JsonSerializer.Serialize(this, DeployNoticeJson.Default.DeployNotice);

    /// <summary>Null for what is not whole: its owner is just writing it.</summary>
    internal static DeployNotice? Read(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonSerializer.Deserialize(text, DeployNoticeJson.Default.DeployNotice);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>How far a deploy has come in the queue.</summary>
public enum DeployPlace
{
    /// <summary>Another deploy of the same app is before it.</summary>
    WaitsForApp,

    /// <summary>It has its app, and waits because enough other apps are being built.</summary>
    WaitsForSlot,

    /// <summary>It is being worked at.</summary>
    UnderWay,

    /// <summary>Its version runs and stays; the one before retires.</summary>
    Settled,
}

[JsonSerializable(typeof(DeployNotice))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
internal sealed partial class DeployNoticeJson : JsonSerializerContext;
