using Piku.Core.Deploy;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>From a call to the stories of an app: the caller's name and standard output go along.</summary>
internal static class CallDeployment
{
    public static Deployment Deployment(this CommandCall call, AppName app) =>
        new(call.Piku, app, call.Deployer(), new DeployLog(call.Streams.Output.WriteAsync));

    public static Deployer Deployer(this CommandCall call) => new(Printable.Text(call.Caller.Name), call.Caller.Address) { MaySee = call.Caller.Rights.MaySee };
}
