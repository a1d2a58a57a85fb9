namespace Postern.Web.Documents;

/// <param name="Login">Of whom.</param>
internal sealed record ForgiveLogin(string Login);

/// <param name="Budgets">Those that held wrong logins.</param>
internal sealed record Lifted(int Budgets);
