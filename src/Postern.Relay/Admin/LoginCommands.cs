using System.Collections.Immutable;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Audit;

namespace Postern.Relay.Admin;

/// <summary>What an operator may see and change of the login protection of a running server.</summary>
public sealed class LoginCommands(LoginProtection protection, IAuditLog audit, TimeProvider clock)
{
    /// <summary>Who is slowed or paused, the fullest first.</summary>
    /// <param name="target">Only what concerns an address and its network, or an account; null for all.</param>
    public ImmutableArray<LoginBlock> Blocks(string? target = null) => protection.Blocks(target);

    /// <summary><see cref="LoginProtection.Lift"/>, written down with who did it.</summary>
    public int Lift(string target, Operator by)
    {
        var lifted = protection.Lift(target);
        if (lifted > 0)
            audit.Append(by.Did(clock.GetUtcNow(), "auth lift", target));
        return lifted;
    }
}
