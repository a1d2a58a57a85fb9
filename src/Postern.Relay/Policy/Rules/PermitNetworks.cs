namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits a client in one of the configured <c>networks</c>, whoever it says it is. None is configured by default, not even loopback.
/// </summary>
internal sealed class PermitNetworks : IRelayRule
{
    public const string Word = "permit_networks";

    public string Name => Word;

    public string Doc => "permit: the client is in `networks` or `network_files` (none by default, not even loopback)";

    public RuleStage Stages => RelayRules.EveryStage;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) =>
        await context.FindTrustedNetworkAsync(ct) is { } network
            ? new RuleAnswer.Permit($"client {context.Facts.Client} is in {network} of networks")
            : new RuleAnswer.Pass($"client {context.Facts.Client} is in none of networks", Remedies.TrustClientAsync);
}
