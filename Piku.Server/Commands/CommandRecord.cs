using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>A call that is over, as others may read it.</summary>
/// <param name="Id">Of the session, as in the log.</param>
/// <param name="Command">What was asked, without values of settings.</param>
/// <param name="App">The app that it was about; null when it was about none, or what was asked was not understood.</param>
/// <param name="Status">Its exit status; null when the caller went away before there was one.</param>
internal sealed record CommandRecord(string Id, Caller Caller, string Command, AppName? App, int? Status, TimeSpan Duration);
