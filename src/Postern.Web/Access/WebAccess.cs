using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Web.Storage;

namespace Postern.Web.Access;

/// <summary>All that says who calls over the network: keys, sessions, and the way to a session. One for the life of the server.</summary>
/// <remarks>Every question throws <see cref="DirectoryUnavailableException"/> when it cannot be answered: 503.</remarks>
internal sealed class WebAccess : IDisposable
{
    private readonly SqliteDirectory directory;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;

    private WebAccess(
        SqliteDirectory directory, WebState state, HashingPool hashing, IAuditLog audit, TimeProvider clock, TimeSpan? longestDelay)
    {
        (this.directory, State, this.audit, this.clock) = (directory, state, audit, clock);
        Keys = new Keys(directory, state, audit, clock);
        Sessions = new Sessions(directory, state, audit, clock);
        var guard = new SignInGuard(audit, clock, directory.DecoyKey.Span, longestDelay);
        SignIn = new SignIn(directory, Sessions, hashing, guard, audit, clock);
    }

    public WebState State { get; }

    public Keys Keys { get; }

    public Sessions Sessions { get; }

    public SignIn SignIn { get; }

    public AccessQueries Queries => new(directory, clock);

    public AccessCommands Commands(Operator by) => new(directory, clock, audit, by);

    /// <summary>Opens <c>web.db</c> beside the directory's database.</summary>
    /// <param name="directory">Stays the caller's, like <paramref name="hashing"/>.</param>
    /// <param name="longestDelay">How long a sign-in waits where many were wrong; null for the usual time.</param>
    public static WebAccess Open(
        SqliteDirectory directory, HashingPool hashing, IAuditLog audit, TimeProvider clock, TimeSpan? longestDelay = null) =>
        new(directory, WebState.Open(WebState.Beside(directory.Path), audit, clock), hashing, audit, clock, longestDelay);

    /// <summary>There is somebody who can let others in. Until then nothing but the setup is to be seen. Cheap.</summary>
    public async ValueTask<bool> HasOwnerAsync(CancellationToken ct) => (await directory.FindAsync(
        "any owner", static sql => new StrongBox<bool>(OperatorRow.AnyOwner(sql)), ct)).Value;

    /// <summary>
    /// Who calls: by a key where one is shown, else by the cookie of a session; <see cref="Caller.Nobody"/> for everybody else. A key that
    /// is no good is not made good by a cookie, and one in the address is not looked at.
    /// </summary>
    /// <param name="context">Its address and scheme are those of the client, and not of a proxy.</param>
    public async ValueTask<Caller> FindCallerAsync(HttpContext context)
    {
        var client = ClientOf(context);
        var request = context.Request;
        var found = request.Headers.Authorization.Count > 0
            ? BearerOf(request.Headers.Authorization.ToString()) is { } key
                ? await Keys.FindAsync(key, client, AgentOf(context), context.RequestAborted)
                : null
            : request.Cookies.TryGetValue(SessionCookie.NameOf(request.IsHttps), out var cookie)
                ? await Sessions.FindAsync(cookie, client, context.RequestAborted)
                : null;
        return found ?? Caller.Nobody with
        {
            Client = client.ToString(),
            // Whoever has one address of IPv6 has a whole /64.
            Budget = $"address {LoginPlace.Text(LoginPlace.Of(client).Address)}",
        };
    }

    /// <summary>
    /// Another password for a person who is signed in, and shows password and code once more. All sessions end, and a new one begins.
    /// </summary>
    /// <param name="proof">With the password that is there now; the name is that of the caller.</param>
    /// <returns>What became of the proof; and of the change, null where it was not come to.</returns>
    public async ValueTask<(SignInAnswer Answer, AdminOutcome? Outcome)> ChangePasswordAsync(
        Caller caller, SignInRequest proof, Secret password, IPAddress client, CancellationToken ct)
    {
        // Before the code is used up.
        if (OperatorPasswords.Problem(password, caller.Name) is { } problem)
            return (SignInAnswer.No.Instance, new AdminOutcome.Invalid(problem));
        var answer = await SignIn.TryAsync(proof with { Name = caller.Name }, client, ct);
        if (answer is not SignInAnswer.Welcome)
            return (answer, null);
        var outcome = Commands(caller.ToOperator()).Operators.ChangePassword(caller.Name, password);
        return outcome is AdminOutcome.Done && directory.Read(sql => OperatorRow.Find(sql, caller.Name)) is { } row
            ? (new SignInAnswer.Welcome(Sessions.Begin(row, client, proof.Agent, before: null)), outcome)
            : (answer, outcome);
    }

    public void Dispose()
    {
        Keys.Dispose();
        State.Dispose();
    }

    /// <summary>The client's address; IPv4 in IPv6 clothes is IPv4.</summary>
    internal static IPAddress ClientOf(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.IPv6None;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    internal static string? AgentOf(HttpContext context) =>
        context.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? agent : null;

    /// <summary>A code of an invitation was wrong; strangers' are counted together.</summary>
    internal void TellRefusedCode(IPAddress client) =>
        audit.Append(new ServerEvent(clock.GetUtcNow(), "setup_refused", $"{client} showed a code of an invitation that is not good")
        {
            Cause = new AuditCause(AuditKind.Server, client, Login: null, "setup_refused"),
        });

    private static string? BearerOf(string header) =>
        header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
}
