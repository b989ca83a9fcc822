//! The engine as a whole, on a clock and a network of its own: what lanes do when webhooks fail, pause and go on, and what
//! it says of that.

mod acts;
mod asleep;
mod changes;
mod elsewhere;
mod explain;
mod failing;
mod fairness;
mod farewell;
mod figures;
mod filters;
mod gone;
mod health;
mod logins;
mod moving;
mod operator_accounts;
mod operator_sessions;
mod order;
mod owners;
mod pace;
mod pause;
mod portal;
mod redeliver;
mod replay;
mod replay_plan;
mod rig;
mod sent;
mod signing_keys;
mod sweep;
mod users;
mod waves;
