using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Ssh.Crypto;

namespace Piku.Server.Hosting;

/// <summary>What <c>piku serve</c> prints when everything answers.</summary>
internal static class Welcome
{
    public static string Text(PikuPaths paths, PikuOptions options, IReadOnlyList<HostKey> hostKeys) => $"""

        piku is ready

          ssh and git   port {options.SshPort}, host key {string.Join(", ", hostKeys.Select(key => key.Fingerprint))}
          http          port {options.HttpPort}
          https         port {options.HttpsPort}
          files         {paths.Root}, as the user {UnixUser.Current.Name}

        Push a first app, from the folder of piku's examples, in another terminal:

          cp -r examples/python-wsgi /tmp/hello && cd /tmp/hello
          git init --initial-branch=main && git add . && git commit -m "Hello"
          git push ssh://piku@localhost:{options.SshPort}/hello main
          curl http://python-wsgi.localhost:{options.HttpPort}/

        See what else there is:

          ssh -p {options.SshPort} piku@localhost help

        """;
}
