using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Watching;

namespace Postern.Relay.Admin.Senders;

/// <summary>What an operator may see and say of logins that send unlike themselves.</summary>
public sealed class WatchCommands(LoginWatch watch, IAuditLog audit, TimeProvider clock)
{
    /// <inheritdoc cref="LoginWatch.List"/>
    public ImmutableArray<WatchState> List(bool all) => watch.List(all);

    /// <inheritdoc cref="LoginWatch.Forgive"/>
    public async ValueTask<ForgivenLogins> ForgiveAsync(string name, Operator by, CancellationToken ct)
    {
        var forgiven = watch.Forgive(name);
        foreach (var login in forgiven)
            audit.Append(by.Did(clock.GetUtcNow(), "logins forgive", login, new AdminChange("watched", "unusual", "its own")));
        await audit.FlushAsync(ct);
        return new ForgivenLogins(forgiven);
    }
}

/// <summary>Whose sending is taken for their own.</summary>
public sealed record ForgivenLogins(ImmutableArray<string> Logins);
