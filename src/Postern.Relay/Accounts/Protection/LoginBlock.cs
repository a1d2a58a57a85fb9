namespace Postern.Relay.Accounts.Protection;

/// <summary>One budget that is half used or more.</summary>
/// <param name="Who">
/// Such as <c>address 192.0.2.7</c> or <c>account lisa from 192.0.2.0/24</c>; the name of an account that does not exist is masked.
/// </param>
/// <param name="State"><c>slowed</c> or <c>paused</c>.</param>
/// <param name="Wrong">Wrong logins that count now.</param>
/// <param name="Budget">As configured.</param>
/// <param name="CalmAt">When it is less than half used, if nothing wrong comes any more.</param>
public sealed record LoginBlock(string Who, string State, int Wrong, string Budget, DateTimeOffset CalmAt);
