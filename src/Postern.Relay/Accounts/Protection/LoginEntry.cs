namespace Postern.Relay.Accounts.Protection;

/// <summary>What came of asking for a place in the budgets.</summary>
/// <param name="Delay">To be waited with the place taken.</param>
/// <param name="IsCrowded">No place was taken: those that are being checked now may need it.</param>
internal readonly record struct LoginEntry(LoginTurn Turn, TimeSpan Delay, bool IsCrowded);
