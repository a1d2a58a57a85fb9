using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Serialization.Metadata;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Machine;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Hosting.Control;

/// <summary>
/// Speaks to a running server over its control socket. A server that refuses or goes away throws <see cref="IOException"/>.
/// </summary>
internal sealed class ControlClient : IQueueAdmin
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly HttpClient http;

    private ControlClient(HttpClient http) => this.http = http;

    /// <summary>Null when no server listens there.</summary>
    /// <exception cref="IOException">This user may not know: nothing may then be said about a server or its queue.</exception>
    public static async Task<ControlClient?> ConnectAsync(string path, CancellationToken ct)
    {
        if (!IsThere(path) || ControlServer.WhyNot(path) is not null)
            return null;
        try
        {
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            // The file of a server that was killed.
            return null;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AccessDenied)
        {
            throw new IOException(
                $"a server is running, and {UserIdentity.Current} may not speak to it: {path} is for its owner and group", e);
        }

        return new ControlClient(new HttpClient(
            new SocketsHttpHandler { ConnectCallback = (_, token) => OpenAsync(path, token), UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri("http://postern/"),
            Timeout = Patience,
        });
    }

    public ValueTask<StatusDocument> StatusAsync(CancellationToken ct) =>
        AskAsync(new(HttpMethod.Get, "status"), ControlJson.Default.StatusDocument, ct);

    public ValueTask<QueuePage> ListAsync(QueueFilter filter, int limit, QueueId? after, CancellationToken ct) =>
        AskAsync(
            Post("queue/list", new(filter, limit, after?.ToString()), ControlJson.Default.ListQueue), ControlJson.Default.QueuePage, ct);

    public async ValueTask<QueueItem?> FindAsync(QueueId id, CancellationToken ct)
    {
        using var answer = await SendAsync(new(HttpMethod.Get, $"queue/{id}"), ct);
        return answer.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync(answer, ControlJson.Default.QueueItem, ct);
    }

    public async ValueTask<bool> CopyContentAsync(QueueId id, Stream to, CancellationToken ct)
    {
        using var answer = await SendAsync(
            new(HttpMethod.Get, $"queue/{id}{ControlApplication.ContentSuffix}"), ct, HttpCompletionOption.ResponseHeadersRead);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return false;
        if (!answer.IsSuccessStatusCode)
            throw new IOException(
                (await answer.Content.ReadFromJsonAsync(ControlJson.Default.Refusal, ct))?.Error
                    ?? $"the server answered {answer.StatusCode}");
        try
        {
            await answer.Content.CopyToAsync(to, ct);
            return true;
        }
        catch (HttpRequestException e)
        {
            throw new IOException($"the content came in part only: {e.Message}", e);
        }
    }

    public ValueTask<QueueChange> ApplyAsync(QueueAction action, QueueFilter filter, string? with, CancellationToken ct) =>
        AskAsync(Post("queue/change", new(action, filter, with), ControlJson.Default.ChangeQueue), ControlJson.Default.QueueChange, ct);

    public ValueTask<QueueStatistics> CountAsync(QueueFilter filter, int most, CancellationToken ct) =>
        AskAsync(Post("queue/count", new(filter, most), ControlJson.Default.CountQueue), ControlJson.Default.QueueStatistics, ct);

    public ValueTask<SuspensionChange> SuspendAsync(string[] domains, bool suspends, CancellationToken ct) =>
        AskAsync(
            Post("queue/suspend", new(domains, suspends), ControlJson.Default.SuspendDomains), ControlJson.Default.SuspensionChange, ct);

    public ValueTask<Resending> ResendAsync(QueueId id, ImmutableArray<Mailbox> to, bool onlyFailed, CancellationToken ct) =>
        AskAsync(
            Post(
                "queue/resend",
                new(id.ToString(), [.. to.Select(static one => one.Address)], onlyFailed),
                ControlJson.Default.ResendKept),
            ControlJson.Default.Resending,
            ct);

    /// <summary>Lets the server go by the changed configuration.</summary>
    public ValueTask<ReloadReport> ReloadAsync(CancellationToken ct) =>
        AskAsync(new(HttpMethod.Post, "reload"), ControlJson.Default.ReloadReport, ct);

    public ValueTask<ImmutableArray<SessionItem>> ListSessionsAsync(SessionFilter filter, CancellationToken ct) =>
        AskAsync(Post("session/list", filter, ControlJson.Default.SessionFilter), ControlJson.Default.ImmutableArraySessionItem, ct);

    public ValueTask<SessionChange> EndSessionsAsync(SessionFilter filter, CancellationToken ct) =>
        AskAsync(Post("session/end", filter, ControlJson.Default.SessionFilter), ControlJson.Default.SessionChange, ct);

    /// <summary>Ends the sessions whose login is gone.</summary>
    public ValueTask<LoginsReviewed> ReviewSessionsAsync(CancellationToken ct) =>
        AskAsync(new(HttpMethod.Post, "session/review"), ControlJson.Default.LoginsReviewed, ct);

    public ValueTask<ImmutableArray<LoginBlock>> BlocksAsync(CancellationToken ct) =>
        AskAsync(new(HttpMethod.Get, "auth/blocks"), ControlJson.Default.ImmutableArrayLoginBlock, ct);

    /// <summary>The same of one address and its network, or of one account.</summary>
    public ValueTask<ImmutableArray<LoginBlock>> BlocksAsync(string target, CancellationToken ct) =>
        AskAsync(Post("auth/blocks", new(target), ControlJson.Default.LoginTarget), ControlJson.Default.ImmutableArrayLoginBlock, ct);

    /// <summary>What the stores say to the server of a user.</summary>
    public ValueTask<ImmutableArray<StoreWordDocument>> AskStoresAsync(string user, string? listener, CancellationToken ct) =>
        AskAsync(
            Post("auth/stores", new(user, listener), ControlJson.Default.StoreQuestion),
            ControlJson.Default.ImmutableArrayStoreWordDocument,
            ct);

    /// <summary>The number of budgets that held wrong logins.</summary>
    public async ValueTask<int> LiftAsync(string target, CancellationToken ct) =>
        (await AskAsync(Post("auth/lift", new(target), ControlJson.Default.LoginTarget), ControlJson.Default.Lifted, ct)).Budgets;

    /// <summary>What is used of the limits of somebody, or of all who have used something.</summary>
    public ValueTask<ImmutableArray<LimitUse>> LimitsAsync(string? name, CancellationToken ct) =>
        AskAsync(Post("limits/list", new(name), ControlJson.Default.NamedLimits), ControlJson.Default.ImmutableArrayLimitUse, ct);

    public ValueTask<LimitChange> RaiseLimitAsync(ControlRequests.RaiseLimit raise, CancellationToken ct) =>
        AskAsync(Post("limits/raise", raise, ControlJson.Default.RaiseLimit), ControlJson.Default.LimitChange, ct);

    public ValueTask<LimitChange> UndoLimitAsync(ControlRequests.UndoLimit undo, CancellationToken ct) =>
        AskAsync(Post("limits/undo", undo, ControlJson.Default.UndoLimit), ControlJson.Default.LimitChange, ct);

    /// <param name="all">Also those that are as always.</param>
    public ValueTask<ImmutableArray<WatchState>> WatchedAsync(bool all, CancellationToken ct) =>
        AskAsync(Post("logins/list", new(all), ControlJson.Default.WatchedLogins), ControlJson.Default.ImmutableArrayWatchState, ct);

    public ValueTask<ForgivenLogins> ForgiveAsync(string login, CancellationToken ct) =>
        AskAsync(Post("logins/forgive", new(login), ControlJson.Default.LoginTarget), ControlJson.Default.ForgivenLogins, ct);

    /// <summary>Who sends nothing for a while.</summary>
    public ValueTask<ImmutableArray<Suspension>> SuspendedAsync(CancellationToken ct) =>
        AskAsync(new(HttpMethod.Get, "suspended"), ControlJson.Default.ImmutableArraySuspension, ct);

    public ValueTask<SenderSuspension> SuspendSenderAsync(ControlRequests.SuspendSender whom, CancellationToken ct) =>
        AskAsync(Post("suspend", whom, ControlJson.Default.SuspendSender), ControlJson.Default.SenderSuspension, ct);

    public ValueTask<SenderSuspension> ResumeSenderAsync(ControlRequests.ResumeSender whom, CancellationToken ct) =>
        AskAsync(Post("resume", whom, ControlJson.Default.ResumeSender), ControlJson.Default.SenderSuspension, ct);

    /// <summary>What mail to a domain is held to, and what is slowed now.</summary>
    public ValueTask<ShapingReport> ExplainShapingAsync(ShapingQuestion question, CancellationToken ct) =>
        AskAsync(Post("shaping", question, ControlJson.Default.ShapingQuestion), ControlJson.Default.ShapingReport, ct);

    /// <summary>What the server would decide.</summary>
    public ValueTask<WhatIfAnswer> ExplainAsync(WhatIf question, CancellationToken ct) =>
        AskAsync(Post("explain", question, ControlJson.Default.WhatIf), ControlJson.Default.WhatIfAnswer, ct);

    public ValueTask DisposeAsync()
    {
        http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<T> AskAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken ct)
    {
        using var answer = await SendAsync(request, ct);
        return await ReadAsync(answer, type, ct);
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken ct, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        using (request)
        {
            try
            {
                return await http.SendAsync(request, until, ct);
            }
            catch (HttpRequestException e)
            {
                throw new IOException($"the server does not answer: {e.Message}", e);
            }
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken ct)
    {
        if (!answer.IsSuccessStatusCode)
            throw new IOException(
                (await answer.Content.ReadFromJsonAsync(ControlJson.Default.Refusal, ct))?.Error
                    ?? $"the server answered {answer.StatusCode}");
        return await answer.Content.ReadFromJsonAsync(type, ct) ?? throw new IOException("the server answered nothing");
    }

    // File.Exists answers no where it may not look.
    private static bool IsThere(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{UserIdentity.Current} may not look into {Path.GetDirectoryName(path)}", e);
        }
    }

    private static HttpRequestMessage Post<T>(string path, T body, JsonTypeInfo<T> type) =>
        new(HttpMethod.Post, path) { Content = JsonContent.Create(body, type) };

    private static async ValueTask<Stream> OpenAsync(string path, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
