using System.Collections.Frozen;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>Grants a request that concerns the whole connection, or refuses it.</summary>
/// <param name="reader">The fields of that request.</param>
/// <returns>What the answer carries; null refuses.</returns>
internal delegate byte[]? GrantGlobalRequest(ConnectionProtocol connection, ref SshReader reader);

/// <summary>
/// The global requests that we know (RFC 4254, section 4). All others are refused, <c>keepalive@openssh.com</c>
/// among them: any answer is a sign of life.
/// </summary>
internal static class GlobalRequests
{
    public static readonly FrozenDictionary<string, GrantGlobalRequest> Table = new Dictionary<string, GrantGlobalRequest>
    {
        ["no-more-sessions@openssh.com"] = NoMoreSessions,
        [HostKeyRotation.ProofRequest] = HostKeyRotation.Prove,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // OpenSSH's PROTOCOL, section 2.2
    private static byte[]? NoMoreSessions(ConnectionProtocol connection, ref SshReader reader)
    {
        reader.End();
        connection.AllowsSessions = false;
        return [];
    }
}
